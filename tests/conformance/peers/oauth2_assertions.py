"""What a Python library makes of client assertions: `oauth2_assertions.py LIBRARY FILE`.

A line of the file is JSON: id, token, key (a JWK), algorithm, client and audience.
A line of the answer is JSON: id, header and claims of an assertion that is valid for this client and this audience, or
why it is not.
"""

import json
import sys

REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti"]


def pyjwt(case):
    import jwt

    claims = jwt.decode(
        case["token"],
        jwt.PyJWK(case["key"], case["algorithm"]),
        algorithms=[case["algorithm"]],
        audience=case["audience"],
        issuer=case["client"],
        subject=case["client"],
        options={"require": REQUIRED, "strict_aud": True},
    )
    return jwt.get_unverified_header(case["token"]), claims


def joserfc(case):
    from joserfc import jwt
    from joserfc.jwk import import_key

    token = jwt.decode(case["token"], import_key(case["key"]), algorithms=[case["algorithm"]])
    wanted = {name: {"essential": True} for name in REQUIRED}
    wanted["iss"]["value"] = wanted["sub"]["value"] = case["client"]
    wanted["aud"]["value"] = case["audience"]
    jwt.JWTClaimsRegistry(leeway=0, **wanted).validate(token.claims)
    return token.header, token.claims


library, path = sys.argv[1:]
judge = {"jwt": pyjwt, "joserfc": joserfc}[library]
with open(path, encoding="utf-8") as cases:
    for line in cases:
        case = json.loads(line)
        answer = {"id": case["id"]}
        try:
            answer["header"], answer["claims"] = judge(case)
        except Exception as error:
            answer["why"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer))
