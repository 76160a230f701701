"""A model's weights as a run's folder keeps them: a Keras model of plain layers."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np

from data import files, partial_files
from data.errors import InputError
from models import framed, sequence
from study.config.run import RunConfig
from study.store import received

ARCHIVE_BYTES = 2**22  # that a saved model may take beside its weights


def save_model(
    config: RunConfig, weights: list[jax.Array], path: Path, *, is_sequence: bool = False
) -> None:
    """Write a Keras model of plain layers with these weights, whole.

    It takes sequences if the run was trained on them or ``is_sequence`` says so, else
    frames.
    """
    model = _built(config, is_sequence=is_sequence)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    files.write_whole(path, lambda aside: _write_archive(model, aside))


def _write_archive(model: keras.Model, path: Path) -> None:
    """Write a ``.keras`` file: a zip archive of what Keras writes into a folder.

    Keras' own archive bears the time of writing, which zip knows only from 1980 to 2107, and
    some clocks are wrong.
    """
    with partial_files.folder(path.parent) as folder, zipfile.ZipFile(path, "w") as archive:
        keras.saving.save_model(model, folder, zipped=False)
        for file in sorted(own for own in folder.rglob("*") if own.is_file()):
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            archive.writestr(member, file.read_bytes())


def load_weights(config: RunConfig, path: Path, *, is_sequence: bool = False) -> list[jax.Array]:
    """The weights that ``save_model`` wrote, in the order the engine takes them.

    The model is built from the configuration and takes nothing but numbers from the file,
    which may have come from anybody.

    Raises:
        InputError: it is missing, broken, of another model, or holds NaN or infinity.
    """
    model = _built(config, is_sequence=is_sequence)
    try:
        weights_bytes = sum(variable.value.nbytes for variable in model.variables)
        received.require_small(path, ARCHIVE_BYTES + 2 * weights_bytes)
        for variable in model.trainable_variables:
            variable.assign(np.full(variable.shape, np.nan))  # Keras passes over what is not there
        with warnings.catch_warnings(action="ignore"):
            model.load_weights(path)
    except FileNotFoundError:
        raise _unusable(path, "no such file") from None
    except InputError:
        raise
    except Exception as error:  # zipfile, h5py and Keras name damage in a dozen ways
        raise _unusable(path, "a broken file, or the weights of another model") from error
    weights = [jnp.asarray(v.value) for v in model.trainable_variables]
    if not all(np.isfinite(value).all() for value in weights):
        raise _unusable(path, "NaN, infinity or too few")
    return weights


def _built(config: RunConfig, *, is_sequence: bool) -> keras.Model:
    takes_sequences = is_sequence or config.training == "sequence"
    build = sequence.build if takes_sequences else framed.build
    return build(config.architecture, config.seed)


def _unusable(path: Path, found: str) -> InputError:
    return InputError(
        f"model {path}",
        expected="the finite weights of its run's model",
        found=found,
        remedy="Remove the run's result.json; `make grid` with the same GRID then trains it anew.",
    )
