"""The error for bad input says what was expected, what was found and what to do."""

import pickle

from data.errors import InputError

ERROR = InputError("key units", expected="a number", found="'many'", remedy="Give a number.")


def test_the_message_holds_all_four_parts() -> None:
    assert str(ERROR) == "key units: expected a number; found 'many'. Give a number."


def test_the_parts_survive_a_process_boundary() -> None:
    copy = pickle.loads(pickle.dumps(ERROR))
    assert isinstance(copy, InputError)
    assert str(copy) == str(ERROR)
    assert (copy.subject, copy.remedy) == (ERROR.subject, ERROR.remedy)
