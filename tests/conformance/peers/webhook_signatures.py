"""Signs and verifies webhooks: webhook_signatures.py FILE, where FILE has a JSON list of what is asked.

Prints a JSON list with an answer for each: what was made, `accepted` or `refused`, or `failed: ` and why.
"""

import base64
import hmac
import json
import sys
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlencode


def verdict(verified):
    return "accepted" if verified else "refused"


def standard(it):
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    webhook = Webhook(it["key"])
    if it["do"].endswith("sign"):
        when = datetime.fromtimestamp(int(it["time"].split(".")[0]), timezone.utc)
        return webhook.sign(it["id"], when, it["body"])
    fields = {"webhook-id": it["id"], "webhook-timestamp": it["time"], "webhook-signature": it["signature"]}
    try:
        webhook.verify(it["body"], fields, json_parse=False)
        return "accepted"
    except WebhookVerificationError:
        return "refused"


def ed25519(it):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    key = base64.b64decode(it["key"].split("_", 1)[1])
    text = f"{it['id']}.{it['time']}.{it['body']}".encode()
    if it["do"].endswith("sign"):
        signature = Ed25519PrivateKey.from_private_bytes(key).sign(text)
        return "v1a," + base64.b64encode(signature).decode()
    for version, signature in (part.split(",") for part in it["signature"].split(" ")):
        try:
            if version == "v1a":
                Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature), text)
                return "accepted"
        except InvalidSignature:
            pass
    return "refused"


def mac(it):
    """HMAC of a text, in hexadecimal or Base64."""
    digest = hmac.new(it["key"].encode(), it["text"].encode(), it["hash"]).digest()
    made = base64.b64encode(digest).decode() if it["encoding"] == "base64" else digest.hex()
    if it["do"].endswith("sign"):
        return made
    return verdict(hmac.compare_digest(made, it["signature"]))


class Parameters(dict):
    """A form whose names may have several values, as Django has it."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def getlist(self, name):
        return [value for known, value in self.pairs if known == name]


def twilio(it):
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(it["key"])
    if it["do"] == "twilio hash":
        return validator.compute_hash(it["body"])
    if it["do"] == "twilio body":
        return urlencode(it["parameters"])
    body = it["body"]
    parameters = Parameters(parse_qsl(body, keep_blank_values=True)) if it["form"] else body
    if it["do"].endswith("sign"):
        return validator.compute_signature(it["url"], parameters if it["form"] else {}, it["algorithm"])
    return verdict(validator.validate(it["url"], parameters, it["signature"], it["algorithm"]))


def key(it):
    """A new pair as PEM, private and public."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    made = {
        "RS": lambda: rsa.generate_private_key(65537, 2048),
        "PS": lambda: rsa.generate_private_key(65537, 2048),
        "ES": lambda: ec.generate_private_key(ec.SECP256R1()),
        "Ed": lambda: ed25519.Ed25519PrivateKey.generate(),
    }[it["alg"][:2]]()
    private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return {"private": private, "public": public}


def jwk(it):
    """A public key as a JWK."""
    from jwcrypto.jwk import JWK

    return {**JWK.from_pem(it["key"].encode()).export_public(as_dict=True), "kid": it["kid"]}


def jws(it):
    """A JWS without its payload (RFC 7515 appendix F), by jwcrypto, joserfc or PyJWT."""
    library, header = it["do"].split()[0], {"alg": it["alg"]}
    if "kid" in it:
        header["kid"] = it["kid"]
    if library == "jwcrypto":
        from jwcrypto.jwk import JWK
        from jwcrypto.jws import JWS, InvalidJWSSignature

        pem = JWK.from_pem(it["key"].encode())
        if it["do"].endswith("sign"):
            made = JWS(it["body"].encode())
            made.add_signature(pem, None, json.dumps(header), None)
            made.detach_payload()
            return made.serialize(compact=True)
        read = JWS()
        read.deserialize(it["signature"])
        try:
            read.verify(pem, it["alg"], detached_payload=it["body"].encode())
            return "accepted"
        except InvalidJWSSignature:
            return "refused"
    if library == "joserfc":
        from joserfc import jws as joserfc_jws
        from joserfc.errors import BadSignatureError
        from joserfc.jwk import ECKey, OKPKey, RSAKey

        kind = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}[it["alg"][:2]]
        pem = kind.import_key(it["key"])
        if it["do"].endswith("sign"):
            made = joserfc_jws.serialize_compact(header, it["body"].encode(), pem, algorithms=[it["alg"]])
            return joserfc_jws.detach_content(made)
        try:
            joserfc_jws.deserialize_compact(
                it["signature"], pem, algorithms=[it["alg"]], payload=it["body"].encode()
            )
            return "accepted"
        except BadSignatureError:
            return "refused"
    import jwt

    # It detaches payloads as RFC 7797 has them, unencoded.
    return jwt.api_jws.encode(it["body"].encode(), it["key"], it["alg"], is_payload_detached=True)


def token(it):
    import jwt

    return jwt.encode(it["claims"], it["key"] or None, it["alg"])


DO = {
    "standard": standard,
    "ed25519": ed25519,
    "mac": mac,
    "twilio": twilio,
    "key": key,
    "jwk": jwk,
    "jwcrypto": jws,
    "joserfc": jws,
    "pyjwt": jws,
    "token": token,
}


def answer(it):
    try:
        return DO[it["do"].split()[0]](it)
    except Exception as error:
        return f"failed: {type(error).__name__} {error}"


with open(sys.argv[1]) as file:
    json.dump([answer(it) for it in json.load(file)], sys.stdout)
