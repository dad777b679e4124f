"""Keys and signed tokens by PyJWT and cryptography: `symphony_jwt.py FILE`.

The file is a JSON array. The answer is a line of JSON for each element:

- {"do": "key", "pem", "form"}: the key as `pkcs1`, `pkcs8` or `public`;
- {"do": "sign", "pem", "algorithm", "claims"}: a token; `exp` is given in seconds from now on;
- {"do": "open", "public", "token"}: what a token says, if its signature is right and it has not ended.

An element that cannot be done is answered with the name of its exception.
"""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization

FORMS = {
    "pkcs1": serialization.PrivateFormat.TraditionalOpenSSL,
    "pkcs8": serialization.PrivateFormat.PKCS8,
}


def key(case):
    private = serialization.load_pem_private_key(case["pem"].encode(), None)
    pem = serialization.Encoding.PEM
    if case["form"] == "public":
        public = private.public_key()
        return public.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    plain = serialization.NoEncryption()
    return private.private_bytes(pem, FORMS[case["form"]], plain).decode()


def sign(case):
    claims = dict(case["claims"])
    if isinstance(claims.get("exp"), int):
        claims["exp"] += int(time.time())
    return jwt.encode(claims, case["pem"], algorithm=case["algorithm"])


def opened(case):
    required = {"require": ["exp", "sub"]}
    claims = jwt.decode(case["token"], case["public"], algorithms=["RS512"], options=required)
    left = claims.pop("exp") - time.time()
    within = "within 300 s" if 0 < left <= 300 else f"{left:.0f} s"
    header = jwt.get_unverified_header(case["token"])
    return f"{header['alg']} {json.dumps(claims, sort_keys=True)} exp {within}"


DO = {"key": key, "sign": sign, "open": opened}

for case in json.load(open(sys.argv[1])):
    try:
        print(json.dumps(DO[case["do"]](case)))
    except Exception as error:
        print(json.dumps(type(error).__name__))
