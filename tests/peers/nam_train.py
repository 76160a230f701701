"""Train neural-amp-modeler's LSTM for so many processor seconds, with its own settings.

Run by the Python of the peer's virtual environment:
``nam_train.py DATA.npz WET.npz UNITS SEED CPU_SECONDS``. DATA holds the spans of each
part, ``train_dry_000`` and so on; WET gets ``test_000``, ... and what it took.

Model, loss, optimiser and their settings are the package's own, after its
``nam_full_configs/models/lstm.json`` (with that file's advice to take windows of 32,768
samples); only layers and units are ours. Its learning rate falls from 0.008 by 0.995 an epoch,
"to about 1e-4 after 1000 epochs": as there is time for fewer, it falls as far in those.
"""

import math
import random
import sys
import time

import numpy as np
import torch  # type: ignore[import-not-found]
from nam.train.lightning_module import LightningModule  # type: ignore[import-not-found]

WINDOW = 32_768
BURN_IN = 8192
BATCH = 16
FIRST_RATE, LAST_RATE = 0.008, 1e-4


def spans(data: np.lib.npyio.NpzFile, part: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    names = sorted(name for name in data.files if name.startswith(f"{part}_dry_"))
    return [
        (torch.from_numpy(data[name]), torch.from_numpy(data[name.replace("dry", "wet")]))
        for name in names
    ]


def windows(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> list[tuple[torch.Tensor, ...]]:
    """Windows of each span, the last one ending where it ends, so that none is wasted."""
    cut = []
    for dry, wet in pairs:
        size = min(WINDOW, len(dry))
        count = math.ceil(len(dry) / size)
        for start in np.linspace(0, len(dry) - size, count).astype(int):
            cut.append((dry[start : start + size], wet[start : start + size]))
    return cut


def module(units: int) -> LightningModule:
    return LightningModule.init_from_config(
        {
            "net": {
                "name": "LSTM",
                "config": {
                    "num_layers": 1,
                    "hidden_size": units,
                    "train_burn_in": BURN_IN,
                    "train_truncate": None,
                },
            },
            "loss": {
                "val_loss": "esr",
                "mask_first": BURN_IN,
                "pre_emph_mrstft_weight": 0.002,
                "pre_emph_mrstft_coef": 0.85,
            },
            "optimizer": {"lr": FIRST_RATE},
            "lr_scheduler": None,
        }
    )


def rendered(model: LightningModule, dry: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(dry[None], pad_start=False)[0]


def validation_esr(model: LightningModule, pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    error = sum(float(((rendered(model, dry) - wet) ** 2).sum()) for dry, wet in pairs)
    return error / sum(float((wet**2).sum()) for _, wet in pairs)


def main() -> None:
    data_file, wet_file, units, seed, cpu_seconds = sys.argv[1:]
    torch.set_num_threads(1)
    torch.manual_seed(int(seed))
    order = random.Random(int(seed))
    data = np.load(data_file)
    train = windows(spans(data, "train"))
    validation = spans(data, "validation")
    model = module(int(units))
    optimiser = model.configure_optimizers()
    limit = float(cpu_seconds)
    started = time.process_time()
    best, kept, epochs, rate = math.inf, model.state_dict(), 0, FIRST_RATE
    while (spent := time.process_time() - started) < limit:
        if epochs:  # how far the rate has to have fallen, by the share of time that is gone
            rate = FIRST_RATE * (LAST_RATE / FIRST_RATE) ** (spent / limit)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        order.shuffle(train)
        for first in range(0, len(train) - BATCH + 1, BATCH):
            batch = train[first : first + BATCH]
            dry, wet = (torch.stack([pair[k] for pair in batch]) for k in range(2))
            optimiser.zero_grad()
            model.training_step((dry, wet), 0).backward()
            optimiser.step()
            if time.process_time() - started >= limit:
                break
        model.eval()
        esr = validation_esr(model, validation)
        epochs += 1
        if esr < best:
            best = esr
            kept = {name: value.clone() for name, value in model.state_dict().items()}
    seconds = time.process_time() - started
    model.load_state_dict(kept)
    model.eval()
    wets = {
        f"test_{k:03d}": rendered(model, dry).numpy()
        for k, (dry, _) in enumerate(spans(data, "test"))
    }
    np.savez(wet_file, epochs=epochs, cpu_seconds=seconds, validation_esr=best, **wets)


if __name__ == "__main__":
    main()
