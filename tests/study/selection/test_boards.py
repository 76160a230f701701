import pytest

from data.errors import InputError
from study.selection.boards import BOARDS, HALF_BAND_DELAY_SAMPLES, board


@pytest.mark.parametrize(
    ("name", "rate_hz", "halves"),
    [
        ("teensy41", 44_100, False),
        ("teensy40", 22_050, True),
        ("teensy41", 48_000, None),
        ("daisy", 48_000, False),
        ("daisy", 24_000, True),
        ("daisy", 22_050, None),
        ("daisy_sram", 24_000, True),
    ],
)
def test_a_board_runs_its_own_rate_and_half_of_it(
    name: str, rate_hz: int, halves: bool | None
) -> None:
    assert BOARDS[name].halves_rate(rate_hz) is halves


def test_the_filters_add_to_the_latency() -> None:
    teensy = board("teensy41")
    assert teensy.latency_ms(44_100) == pytest.approx(1000 * 256 / 44_100)
    added = teensy.latency_ms(22_050) - teensy.latency_ms(44_100)
    assert added == pytest.approx(1000 * HALF_BAND_DELAY_SAMPLES / 44_100)


def test_an_unknown_board_is_told_with_those_that_exist() -> None:
    with pytest.raises(InputError, match="teensy41, teensy40, daisy, daisy_sram"):
        board("arduino")
