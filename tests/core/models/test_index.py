"""Names, as the library that the index uses sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidName, canonicalize_name

from release.core.models.index import is_project_name, normalize_name


@given(name=st.text(alphabet="aZ09._- é\n", max_size=12))
def test_names_are_as_packaging_has_them(name: str) -> None:
    assert normalize_name(name) == canonicalize_name(name)
    if is_project_name(name):
        assert canonicalize_name(name, validate=True)
    else:
        with pytest.raises(InvalidName):
            canonicalize_name(name, validate=True)
