import json
from datetime import timedelta
from uuid import UUID

import pytest

from modules_access.jwt import (
    MAX_JWT_LENGTH,
    REFUSAL_SENTENCES,
    TokenRefused,
    kid_of,
    mint_pass,
    mint_token,
    read_token,
)
from modules_access.models import ModuleAccess
from tests.support.factories import NOON
from tests.support.forged import NEW_SECRET, OLD_SECRET, OTHER_SECRET, forge, parts_of, seal, unsigned, use_secrets
from tests.support.modules import make_buyer, make_grant, make_learner, make_module, make_token

pytestmark = pytest.mark.django_db
AUDIENCE = "module:drawing"
LATER = NOON + timedelta(hours=1)
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.fixture(autouse=True)
def _secret(settings):
    use_secrets(settings, NEW_SECRET)


@pytest.fixture
def token():
    return make_token(make_learner(), make_module())


@pytest.fixture
def raw(token):
    return mint_token(token, at=NOON)


def refused(raw, *, audience=AUDIENCE, at=LATER):
    with pytest.raises(TokenRefused) as refusal:
        read_token(raw, audience=audience, at=at)
    assert str(refusal.value) == str(REFUSAL_SENTENCES[refusal.value.code])
    return refusal.value.code


class TestMintToken:
    def test_names_the_row_and_ends_with_it(self, token, raw, settings):
        header, claims = parts_of(raw)

        assert header == {"alg": "HS256", "kid": kid_of(NEW_SECRET), "typ": "module+jwt"}
        assert claims == {
            "iss": settings.SITE_URL, "aud": AUDIENCE, "sub": str(token.user_id), "jti": str(token.jti),
            "iat": NOON.timestamp(), "nbf": NOON.timestamp(), "exp": token.expires_at.timestamp(),
            "level": "standard",
        }  # fmt: skip

    def test_tells_nothing_of_the_secret(self, raw):
        assert len(kid_of(NEW_SECRET)) == 8
        assert NEW_SECRET not in json.dumps(parts_of(raw))

    def test_is_far_shorter_than_what_is_read(self, token):
        token.access_level = "é" * 30

        assert len(mint_token(token, at=NOON)) < MAX_JWT_LENGTH / 4


class TestMintPass:
    def test_is_over_within_minutes(self, settings):
        access = make_grant(make_learner(), make_module())

        claims = parts_of(mint_pass(access, at=NOON))[1]

        assert (claims["acc"], claims["level"]) == (access.pk, "standard")
        assert claims["exp"] == NOON.timestamp() + settings.MODULES.pass_seconds

    def test_never_outlives_the_access(self):
        access = make_grant(make_learner(), make_module(), expires_at=NOON + timedelta(seconds=20))

        assert parts_of(mint_pass(access, at=NOON))[1]["exp"] == NOON.timestamp() + 20

    def test_has_a_name_of_its_own_each_time(self, token):
        access = ModuleAccess.objects.get(token=token)

        names = {parts_of(mint_pass(access, at=NOON))[1]["jti"] for _ in range(3)} | {str(token.jti)}

        assert len(names) == 4

    def test_brings_the_level_of_the_token(self, token):
        token.access_level = "premium"
        token.save()

        assert read_token(mint_pass(ModuleAccess.objects.get(), at=NOON), audience=AUDIENCE, at=NOON).level == "premium"


class TestRead:
    def test_tells_what_was_minted(self, token, raw):
        claims = read_token(raw, audience=AUDIENCE, at=LATER)

        assert (claims.jti, claims.user_id, claims.level) == (token.jti, token.user_id, "standard")
        assert (claims.expires_at, claims.access_id) == (token.expires_at, None)

    def test_tells_the_access_of_a_pass(self):
        purchase = make_buyer(make_learner(), make_module())
        access = ModuleAccess.objects.get(order=purchase.order)

        assert read_token(mint_pass(access, at=NOON), audience=AUDIENCE, at=NOON).access_id == access.pk

    def test_goes_by_the_clock_of_the_caller(self, token, raw):
        end = token.expires_at

        assert read_token(raw, audience=AUDIENCE, at=end - timedelta(microseconds=1))
        assert refused(raw, at=end) == "token_expired"

    def test_forgives_a_clock_a_few_seconds(self, raw):
        assert read_token(raw, audience=AUDIENCE, at=NOON - timedelta(seconds=5))
        assert refused(raw, at=NOON - timedelta(seconds=6)) == "token_not_yet"

    def test_is_for_one_module(self, raw):
        assert refused(raw, audience="module:singing") == "token_audience"
        assert read_token(raw, audience=None, at=LATER)

    def test_is_from_one_issuer(self, raw, settings):
        settings.SITE_URL = "https://other.example"

        assert refused(raw) == "token_issuer"

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": ["module:drawing"]}, {"aud": None}, {"aud": "module:drawin"},
        ],
    )  # fmt: skip
    def test_takes_no_list_of_modules(self, raw, claims):
        assert refused(forge(raw, secret=NEW_SECRET, **claims)) == "token_audience"


class TestReadRefusesWhatIsNoToken:
    @pytest.mark.parametrize(
        "raw",
        [
            "", "a", "a.b", "a.b.c", "a.b.c.d", "..", ".", "null", "{}", "e30.e30.e30", "é.é.é", "a b.c d.e f",
            "eyJhbGciOiJIUzI1NiJ9", "\ud800.a.b", "x" * 5000, "bnVsbA.e30.", "W10.e30.", "eyJhIjo\n.e30.x",
        ],
    )  # fmt: skip
    def test_of_any_kind(self, raw):
        assert refused(raw) == "token_malformed"

    def test_that_is_too_long(self, raw):
        assert refused(raw + "A" * MAX_JWT_LENGTH) == "token_malformed"

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": None}, {"alg": 5}, {"alg": ["HS256"]}, {"alg": {}}, {"kid": 5}, {"kid": ["x"]}, {"crit": ["exp"]},
            {"crit": ["b64"], "b64": False}, {"b64": True}, {"typ": "JWT"}, {"typ": None}, {"typ": 1},
        ],
    )  # fmt: skip
    def test_with_a_strange_header(self, raw, header):
        assert refused(forge(raw, secret=NEW_SECRET, header=header)) == "token_malformed"

    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": 10**20}, {"exp": 1.5}, {"nbf": None}, {"iat": "x"},
            {"jti": None}, {"jti": "x"}, {"sub": None}, {"sub": "ada"}, {"sub": []}, {"level": None}, {"acc": "1"},
            {"acc": True},
        ],
    )  # fmt: skip
    def test_with_strange_claims(self, raw, claims):
        assert refused(forge(raw, secret=NEW_SECRET, **claims)) == "token_malformed"

    @pytest.mark.parametrize("payload", ["[]", "7", "null", "not JSON", '{"a":' * 300])
    def test_that_says_no_claims(self, raw, payload):
        header = json.dumps(parts_of(raw)[0])

        assert refused(seal(header, payload, NEW_SECRET)) == "token_malformed"


class TestReadRefusesOtherSignatures:
    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", " none "])
    def test_that_are_not_there(self, raw, alg):
        assert refused(unsigned(raw, alg=alg)) == "token_unsigned"

    @pytest.mark.parametrize("alg", ["none", "NoNe"])
    def test_that_are_said_not_to_be_there(self, raw, alg):
        assert refused(forge(raw, secret=NEW_SECRET, header={"alg": alg})) == "token_unsigned"

    @pytest.mark.parametrize("alg", ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256", "HS256 ", ""])
    def test_of_any_other_kind(self, raw, alg):
        assert refused(forge(raw, secret=NEW_SECRET, header={"alg": alg})) == "token_algorithm"

    @pytest.mark.parametrize(
        "header",
        [
            {"jwk": {"kty": "oct", "k": "AAAA"}}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example"},
            {"x5c": ["MIIB"]},
        ],
    )  # fmt: skip
    def test_that_bring_their_key(self, raw, header):
        assert refused(forge(raw, secret=NEW_SECRET, header=header)) == "token_algorithm"
        assert refused(forge(raw, secret=OTHER_SECRET, header=header)) == "token_algorithm"

    @pytest.mark.parametrize("secret", [OTHER_SECRET, PUBLIC_KEY, "", "null", OLD_SECRET])
    def test_that_are_wrong(self, raw, secret):
        assert refused(forge(raw, secret=secret)) == "token_forged"

    def test_of_claims_that_were_changed(self, raw):
        head, _, signature = raw.split(".")
        changed = forge(raw, secret=OTHER_SECRET, exp=2**31).split(".")[1]

        assert refused(f"{head}.{changed}.{signature}") == "token_forged"
        assert refused(f"{head}.{changed}.") == "token_forged"

    def test_even_if_the_token_has_expired_too(self, raw, token):
        end = token.expires_at + timedelta(days=1)

        assert refused(forge(raw, secret=OTHER_SECRET), at=end) == "token_forged"
        assert refused(unsigned(raw), at=end) == "token_unsigned"

    @pytest.mark.parametrize("kid", [None, "", "00000000", "../../dev/null", kid_of(OTHER_SECRET)])
    def test_by_a_key_that_is_not_ours(self, raw, kid):
        assert refused(forge(raw, secret=NEW_SECRET, header={"kid": kid})) == "token_key"

    def test_by_another_key_of_ours_than_it_says(self, raw, settings):
        use_secrets(settings, NEW_SECRET, OLD_SECRET)

        assert refused(forge(raw, secret=OLD_SECRET)) == "token_key"


class TestRotation:
    def test_accepts_what_the_old_key_has_signed(self, token, settings):
        use_secrets(settings, OLD_SECRET)
        old = mint_token(token, at=NOON)

        use_secrets(settings, NEW_SECRET, OLD_SECRET)

        assert read_token(old, audience=AUDIENCE, at=LATER).jti == UUID(str(token.jti))
        assert parts_of(mint_token(token, at=NOON))[0]["kid"] == kid_of(NEW_SECRET)

    def test_refuses_what_a_removed_key_has_signed(self, token, settings):
        use_secrets(settings, OLD_SECRET)
        old = mint_token(token, at=NOON)

        use_secrets(settings, NEW_SECRET)

        assert refused(old) == "token_key"


class TestTokenRefused:
    def test_has_a_sentence_in_the_language_of_who_reads_it(self):
        assert str(TokenRefused("token_expired")) == "The token has expired."
        assert str(TokenRefused("access_ended", "Over.")) == "Over."
