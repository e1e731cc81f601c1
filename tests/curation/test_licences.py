import pytest

from components.curation.candidate import Rejection
from components.curation.licences import LicenceConfig, LicenceStep, licences
from tests.curation.candidates import candidate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cc-by-4.0", ("CC-BY-4.0",)),
        ("CC BY-NC-SA 4.0", ("CC-BY-NC-SA-4.0",)),
        ("CC BY-NC 4.0 (some set)", ("CC-BY-NC-4.0",)),
        ("cc_by_nc_nd_4.0", ("CC-BY-NC-ND-4.0",)),
        ("Creative Commons Attribution-NonCommercial 4.0", ("CC-BY-NC-4.0",)),
        ("Creative Commons Attribution ShareAlike 3.0", ("CC-BY-SA-3.0",)),
        ("cc0-1.0", ("CC0-1.0",)),
        ("MIT License", ("MIT",)),
        ("apache license, version 2.0", ("Apache-2.0",)),
        ("apache-2.0", ("Apache-2.0",)),
        ("bsd-3-clause", ("BSD-3-Clause",)),
        ("GPLv3", ("GPL-3.0",)),
        ("agpl-3.0", ("AGPL-3.0",)),
        ("odc-by", ("ODC-By-1.0",)),
        ("bigscience-openrail-m", ("OpenRAIL",)),
        ("for research purposes only", ("LicenseRef-non-commercial",)),
        ("Apache-2.0 (drawn); digits: CC BY 4.0, UCI", ("CC-BY-4.0", "Apache-2.0")),
        ("", ()),
        ("other", ()),
        ("permitted to submit", ()),
    ],
)
def test_licences_are_told_from_their_spellings(text: str, expected: tuple[str, ...]) -> None:
    assert licences(text) == expected


def fate(licence: str, **config: object) -> str:
    try:
        return ",".join(LicenceStep(LicenceConfig(**config))(candidate(licence=licence)).flags)  # type: ignore[arg-type]
    except Rejection as rejection:
        return rejection.reason


def test_licence_step_denies_by_pattern_before_it_allows() -> None:
    assert fate("CC BY-NC 4.0", deny=("CC-BY-NC*",), allow=("CC-BY*",)) == "licence denied"
    assert fate("CC BY 4.0", deny=("CC-BY-NC*",), allow=("CC-BY*",)) == ""


def test_licence_step_every_named_licence_has_to_be_allowed() -> None:
    assert fate("MIT (code), CC BY-NC 4.0 (images)", allow=("mit",)) == "licence not allowed"
    assert fate("MIT (code), CC BY 4.0 (images)", allow=("mit", "cc-by-4.0")) == ""


def test_licence_step_unknown_ones_are_the_configurations() -> None:
    assert fate("") == "licence: unknown"
    assert fate("house rules", unknown="reject") == "licence unknown"
    assert fate("house rules", unknown="keep") == ""
    assert fate("house rules", unknown="reject", allow=("House rules",)) == ""
    assert fate("", enabled=False, unknown="reject") == ""
