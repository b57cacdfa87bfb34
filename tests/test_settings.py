from __future__ import annotations

import pytest

from bridge.settings import TABLE, SettingError, Settings


def test_a_variable_that_is_not_set_or_empty_is_its_default():
    assert Settings({}).threads == Settings({"TOOLBRIDGE_THREADS": ""}).threads == 64


def test_what_is_given_wins_over_the_environment():
    assert Settings({"TOOLBRIDGE_THREADS": "8"}, threads=9).threads == 9
    assert Settings({"TOOLBRIDGE_THREADS": "8"}, threads=None).threads == 8


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PORT", "80000"),
        ("PORT", "x"),
        ("PORT", "-1"),
        ("TOOLBRIDGE_THREADS", "0"),
        ("TOOLBRIDGE_THREADS", "٣"),
        ("TOOLBRIDGE_THREADS", "9" * 5_000),
        ("TOOLBRIDGE_CARRIER", "perhaps"),
        ("TOOLBRIDGE_ENGINE", "curl"),
        ("TOOLBRIDGE_MANIFEST_ERROR_STATUS", "500"),
        ("TOOLBRIDGE_PUBLIC_URL", "tools.example.com"),
        ("TOOLBRIDGE_PUBLIC_URL", "https://tools.example.com/path"),
        ("TOOLBRIDGE_ALLOWED_HOSTS", "http://x"),
        ("TOOLBRIDGE_ALLOWED_HOSTS", "good.example.com,*.example.com"),
        ("TOOLBRIDGE_ALLOWED_ORIGINS", "*"),
        ("TOOLBRIDGE_ALLOWED_ORIGINS", "app.example.com"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_with_what_to_write(variable, text):
    with pytest.raises(SettingError) as caught:
        Settings({variable: text})
    assert str(caught.value).startswith(f"{variable}=")
    assert "write" in str(caught.value)
    assert "literal" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("PORT", "0", 0),
        ("TOOLBRIDGE_CARRIER", "off", False),
        ("TOOLBRIDGE_PUBLIC_URL", "https://tools.example.com:8443/", "https://tools.example.com:8443/"),
        ("TOOLBRIDGE_ALLOWED_HOSTS", " a.example , [::1]:5000,", ("a.example", "[::1]:5000")),
        ("TOOLBRIDGE_ALLOWED_ORIGINS", "https://a.example,http://localhost:3000", ("https://a.example", "http://localhost:3000")),
        ("TOOLBRIDGE_MANIFEST_ERROR_STATUS", "200", 200),
    ],
)
def test_a_variable_is_read_as_its_setting_wants_it(variable, text, read):
    name = next(row.name for row in TABLE if row.variable == variable)
    assert getattr(Settings({variable: text}), name) == read


def test_every_row_is_an_attribute_and_every_variable_is_unique():
    settings = Settings({})
    assert all(hasattr(settings, row.name) for row in TABLE)
    assert len({row.variable for row in TABLE}) == len(TABLE)
