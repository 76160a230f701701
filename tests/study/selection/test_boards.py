import pytest

from data.errors import InputError
from study.selection.boards import BOARDS, DELAY_SAMPLES, board


@pytest.mark.parametrize(
    ("name", "rate_hz", "resampling"),
    [
        ("teensy41", 44_100, "none"),
        ("teensy40", 22_050, "halved"),
        ("teensy41", 48_000, "impossible"),
        ("daisy", 48_000, "none"),
        ("daisy", 24_000, "halved"),
        ("daisy", 22_050, "impossible"),
        ("teensy41", 88_200, "doubled"),
        ("daisy", 96_000, "doubled"),
        ("daisy", 88_200, "impossible"),
        ("daisy_sram", 24_000, "halved"),
    ],
)
def test_a_board_runs_its_own_rate_half_of_it_and_twice(
    name: str, rate_hz: int, resampling: str
) -> None:
    assert BOARDS[name].resampling(rate_hz) == resampling


def test_the_filters_add_to_the_latency() -> None:
    teensy = board("teensy41")
    assert teensy.latency_ms(44_100) == pytest.approx(1000 * 256 / 44_100)
    for rate_hz, resampling in ((22_050, "halved"), (88_200, "doubled")):
        added = teensy.latency_ms(rate_hz) - teensy.latency_ms(44_100)
        assert added == pytest.approx(1000 * DELAY_SAMPLES[resampling] / 44_100)


def test_an_unknown_board_is_told_with_those_that_exist() -> None:
    with pytest.raises(InputError, match="teensy41, teensy40, daisy, daisy_sram"):
        board("arduino")
