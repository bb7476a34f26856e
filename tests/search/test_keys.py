"""What is kept of an API key, and which secret belongs to which key."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from search.keys import InvalidKeys, Key, Keys, KeyScope, digest_of_secret, make_key, scopes_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_secret_finds_its_own_key_among_several_and_nothing_of_it_is_kept():
    made = [make_key(name, ("search",), NOW) for name in ("web", "app", "till")]
    keys = Keys(keys=tuple(key for key, _ in made))
    for key, secret in made:
        assert keys.holder(secret) == key
        assert secret.split("_")[2] not in keys.model_dump_json()


def test_two_keys_of_the_same_secret_would_have_other_digests():
    assert digest_of_secret("a", "00" * 16) != digest_of_secret("a", "01" * 16)


def altered(secret: str) -> dict[str, str]:
    head, tail = secret[:-1], secret[-1]
    id = secret.split("_")[1]
    return {
        "empty": "",
        "another last digit": head + ("0" if tail != "0" else "1"),
        "a digit short": head,
        "a digit more": secret + "0",
        "in capitals": secret.upper(),
        "the id alone": id,
        "another id": secret.replace(id, "00000000" if id != "00000000" else "11111111"),
        "a new line behind it": secret + "\n",
        "not ASCII": secret[:-1] + "é",
        "Arabic digits": secret[:-1] + "٣",
        "zeros": f"etalage_{id}_" + "0" * 64,
    }


@pytest.mark.parametrize("name", altered("etalage_00000000_" + "a" * 64))
def test_a_secret_that_is_not_exactly_the_one_belongs_to_nobody(name: str):
    key, secret = make_key("web", ("search",), NOW)
    assert Keys(keys=(key,)).holder(secret) == key
    assert Keys(keys=(key,)).holder(altered(secret)[name]) is None


def test_the_digest_of_a_key_is_no_secret_of_it():
    key, _ = make_key("web", ("search",), NOW)
    for told in (key.digest, key.salt, f"etalage_{key.id}_{key.digest}"):
        assert Keys(keys=(key,)).holder(told) is None


def test_a_revoked_key_opens_nothing_and_stays_on_record():
    (old, old_secret), (new, new_secret) = make_key("web", ("search",), NOW), make_key("web", ("search",), NOW)
    keys = Keys().plus(old).plus(new).without(old.id, NOW)
    assert (keys.holder(old_secret), keys.holder(new_secret)) == (None, new)
    assert [key.revoked_at for key in keys.keys] == [NOW, None]
    assert keys.live() == (new,)
    with pytest.raises(InvalidKeys, match="already"):
        keys.without(old.id, NOW)
    with pytest.raises(InvalidKeys, match="No key has the id"):
        keys.without("nobody", NOW)
    with pytest.raises(InvalidKeys, match="already"):
        keys.plus(old)


@pytest.mark.parametrize(
    ("held", "search", "feedback", "admin"),
    [
        (("search",), True, False, False),
        (("feedback",), False, True, False),
        (("search", "feedback"), True, True, False),
        (("admin",), True, True, True),
    ],
)
def test_admin_implies_the_others_and_they_imply_nothing(
    held: tuple[KeyScope, ...], search: bool, feedback: bool, admin: bool
):
    key, _ = make_key("web", held, NOW)
    assert (key.allows("search"), key.allows("feedback"), key.allows("admin")) == (search, feedback, admin)


@pytest.mark.parametrize("name", ["", " web", "web ", "a\nb", "\x1b[31m", "x" * 65])
def test_a_name_that_would_spoil_a_table_is_refused(name: str):
    with pytest.raises(InvalidKeys, match="name"):
        make_key(name, ("search",), NOW)


def test_scopes_are_named_known_and_at_least_one():
    assert scopes_of(["feedback", "search", "feedback"]) == ("search", "feedback")
    with pytest.raises(InvalidKeys, match="'root' is not a scope"):
        scopes_of(["search", "root"])
    with pytest.raises(InvalidKeys, match="one or more"):
        make_key("web", (), NOW)


def test_records_that_cannot_be_are_refused_as_a_whole():
    key, _ = make_key("web", ("search",), NOW)
    good = key.model_dump(mode="json")
    assert Key.model_validate(good) == key
    for field, value in (
        ("scopes", []),
        ("scopes", ["root"]),
        ("salt", ""),
        ("digest", "0" * 63),
        ("id", "../../.."),
        ("created_at", "2026-11-21T00:00:00"),
        ("secret", "x"),
    ):
        with pytest.raises(ValidationError):
            Key.model_validate({**good, field: value})
    with pytest.raises(ValidationError, match="same id"):
        Keys(keys=(key, key))
