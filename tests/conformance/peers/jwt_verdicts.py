"""What a Python library says of tokens: `jwt_verdicts.py LIBRARY FILE`.

A line of the file is JSON: id, token, key (a JWK), algorithm (the one that the key is for) and now (in seconds).
A line of the answer is JSON: id, verdict (`accepted` or `refused`) and why (the name of the exception).

The algorithm is pinned, `exp` is required, nothing is allowed for clocks, and no audience is configured.
Everything else is the library's default.
"""

import datetime
import json
import sys
import warnings


def pyjwt():
    import jwt
    import jwt.api_jwt

    keys = {}

    class Clock(datetime.datetime):
        """PyJWT reads the time from this class in its module, and takes no other."""

        seconds = 0

        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(cls.seconds, tz)

    jwt.api_jwt.datetime = Clock

    def judge(case):
        key = kept(keys, case, lambda: jwt.PyJWK(case["key"], case["algorithm"]))
        Clock.seconds = case["now"]
        options = {"require": ["exp"], "verify_aud": False}
        jwt.decode(case["token"], key, algorithms=[case["algorithm"]], options=options)

    return judge


def joserfc():
    from joserfc import jwt
    from joserfc.jwk import import_key

    keys = {}

    def judge(case):
        key = kept(keys, case, lambda: import_key(case["key"]))
        token = jwt.decode(case["token"], key, algorithms=[case["algorithm"]])
        claims = jwt.JWTClaimsRegistry(now=case["now"], leeway=0, exp={"essential": True})
        claims.validate(token.claims)

    return judge


def jwcrypto():
    import jwcrypto.jwt
    from jwcrypto.jwk import JWK

    keys = {}

    class Clock:
        """jwcrypto reads the time from this name in its module, and takes no other."""

        seconds = 0

        @classmethod
        def time(cls):
            return cls.seconds

    jwcrypto.jwt.time = Clock

    def judge(case):
        key = kept(keys, case, lambda: JWK(**case["key"]))
        Clock.seconds = case["now"]
        # Without `check_claims` it judges `exp` and `nbf` where they stand; with it, only what is named there.
        for required in (None, {"exp": None}):
            token = jwcrypto.jwt.JWT(
                algs=[case["algorithm"]],
                expected_type="JWS",
                check_claims=required,
                strict_serialization=True,
            )
            token.leeway = 0
            token.deserialize(case["token"], key)

    return judge


def kept(keys, case, make):
    """A key is imported once, as an application would."""
    name = (case["algorithm"], case["key"]["kid"])
    if name not in keys:
        keys[name] = make()
    return keys[name]


def main():
    warnings.simplefilter("ignore")
    library, path = sys.argv[1:]
    judge = {"jwt": pyjwt, "joserfc": joserfc, "jwcrypto": jwcrypto}[library]()
    with open(path, encoding="utf-8") as cases:
        for line in cases:
            case = json.loads(line)
            answer = {"id": case["id"], "verdict": "accepted", "why": ""}
            try:
                judge(case)
            except Exception as error:
                answer["verdict"], answer["why"] = "refused", type(error).__name__
            print(json.dumps(answer))


main()
