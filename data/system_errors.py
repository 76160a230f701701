"""What to tell when the operating system refuses a file: one sentence, and what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from data import files
from data.errors import InputError

# errno -> what was expected, and the remedy.
_TOLD: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("an existing file or folder", "Check the path."),
    errno.EISDIR: ("a file", "Choose another name."),
    errno.ENOTDIR: ("folders on the way to it", "A part of the path is a file: choose another."),
    errno.EEXIST: ("a folder", "A file has its name: choose another, or move the file."),
    errno.ENAMETOOLONG: ("a name that the disk can hold", "Choose a shorter one."),
    errno.ELOOP: ("no link, or one that leads somewhere", "Remove it."),
    errno.EMFILE: ("room for one more open file", "Raise the limit (ulimit -n)."),
    errno.ENOMEM: ("memory to spare", "Use fewer workers, or close other programs."),
}
_CLOSED = (
    "a file or folder that may be read and written",
    "Check its owner, its permissions, and whether its disk may be written to.",
)
_TOLD |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _CLOSED)
_OTHER = ("a file or folder that can be used", "Check it and the disk that it lies on.")


def told(error: OSError, folder: str | Path) -> InputError:
    """The error in words.

    Args:
        error: any.
        folder: where the command writes, if the error names no file.
    """
    if error.errno in files.DISK_FULL:
        return files.no_room(folder, str(error))
    expected, remedy = _TOLD.get(error.errno or 0, _OTHER)
    name = error.filename2 or error.filename  # of a renaming, what it was to become
    subject = f"path {name}" if isinstance(name, str) and name else f"folder {folder}"
    found = error.strerror or str(error)
    return InputError(subject, expected=expected, found=found, remedy=remedy)
