"""What the import of a recorded pair tells its user."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

DIGITAL_SILENCE_DBFS = -120.0


@dataclass(frozen=True)
class SideReport:
    """What one of the two files was like.

    Attributes:
        path: as given.
        sample_rate_hz: of the file.
        channels: of the file; more than one are averaged.
        subtype: coding as libsndfile names it.
        duration_s: of the file.
        peak_dbfs: largest magnitude.
        clipped_samples: samples in runs of exact full scale.
        dc_offset: mean of the dry file; level of the wet one while the dry is silent,
            or its mean where the dry never is.
    """

    path: str
    sample_rate_hz: int
    channels: int
    subtype: str
    duration_s: float
    peak_dbfs: float
    clipped_samples: int
    dc_offset: float


@dataclass(frozen=True)
class ImportReport:
    """What the import of a pair found, corrected and warns about.

    Attributes:
        dry: the dry file.
        wet: the wet file.
        sample_rate_hz: of the imported pair.
        duration_s: of the imported pair.
        working_rate_hz: rate at which the delay was measured and taken off.
        delay_samples: delay taken off, at the working rate; positive when wet was late.
        peak_after_samples: where the largest peak of the response lies after that, at
            the working rate: the effect's own filters, and any fraction of a sample.
        is_inverted: whether the wet signal was upside down (and has been turned).
        drift_ppm: how much faster the wet clock ran, after rounding noise to 0.
        noise_floor_dbfs: root mean square of the wet while the dry is silent, or None.
        best_esr: ESR that a perfect model would be left with, from that noise, or None.
        corrections: one sentence each.
        warnings: one sentence each.
    """

    dry: SideReport
    wet: SideReport
    sample_rate_hz: int
    duration_s: float
    working_rate_hz: int
    delay_samples: int
    peak_after_samples: float
    is_inverted: bool
    drift_ppm: float
    noise_floor_dbfs: float | None
    best_esr: float | None
    corrections: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The report as text, a line a finding."""
        return [
            *(_side_line(name, side) for name, side in (("dry", self.dry), ("wet", self.wet))),
            f"pair: {self.duration_s:.1f} s at {self.sample_rate_hz} Hz, mono",
            f"noise: {self._noise_text()}",
            *(f"corrected: {text}" for text in self.corrections),
            *(f"warning: {text}" for text in self.warnings),
        ]

    def to_dict(self) -> dict[str, object]:
        """The report as plain values, for JSON."""
        return asdict(self)

    def _noise_text(self) -> str:
        if self.noise_floor_dbfs is None or self.best_esr is None:
            return "not measurable, the dry signal has no half second of silence"
        if self.noise_floor_dbfs < DIGITAL_SILENCE_DBFS:
            return "none, the wet signal is digitally silent when the dry one is"
        return (
            f"floor {self.noise_floor_dbfs:.1f} dBFS, so no model can reach an ESR "
            f"below {self.best_esr:.2g}"
        )


def _side_line(name: str, side: SideReport) -> str:
    channels = "mono" if side.channels == 1 else f"{side.channels} channels averaged"
    return (
        f"{name}: {side.path}, {side.duration_s:.1f} s, {side.sample_rate_hz} Hz, "
        f"{channels}, {side.subtype}, peak {side.peak_dbfs:.1f} dBFS"
    )
