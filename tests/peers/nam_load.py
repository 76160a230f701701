"""Play audio through a ``.nam`` file by neural-amp-modeler's own loader.

Run by the Python of the peer's virtual environment: ``nam_load.py MODEL.nam DRY.npy WET.npy``.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]
from nam.models import init_from_nam  # type: ignore[import-not-found]


def main() -> None:
    model_file, dry_file, wet_file = sys.argv[1:]
    model = init_from_nam(json.loads(Path(model_file).read_text("utf-8")))
    model.eval()
    with torch.no_grad():
        wet = model(torch.from_numpy(np.load(dry_file)))
    np.save(wet_file, wet.numpy())


if __name__ == "__main__":
    main()
