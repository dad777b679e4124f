"""Calls of Webex Connect with requests and PyJWT, as the vendor's pages have them: webex_client.py FILE.

The file is a JSON array of calls. A line of the answer is the JSON text of `STATUS CODE` for each of them.

- url, body: what is sent, with POST.
- key, bearer: a value for the field `key`, and one for `Authorization: Bearer`.
- sign: a token that stands for `bearer`: {"secret", "claims", "header", "algorithm"}. The secret is Base64, or a private key
  in PEM for RS256. `iat` and `exp` are given in seconds from now on, unless the token says "as_they_are".
- open: in place of a call, a token that PyJWT reads under the secret: the answer is the claims but the times.
"""

import base64
import json
import sys
import time

import jwt
import requests

session = requests.Session()
session.trust_env = False


def key_of(case):
    is_pem = case["secret"].startswith("-----")
    return case["secret"] if is_pem else base64.b64decode(case["secret"])


def signed(case):
    claims = dict(case["claims"])
    for name in ("iat", "exp"):
        if name in claims and not case.get("as_they_are"):
            claims[name] += int(time.time())
    algorithm = case.get("algorithm", "HS256")
    return jwt.encode(claims, key_of(case), algorithm=algorithm, headers=case.get("header"))


def opened(case):
    claims = jwt.decode(case["token"], key_of(case), algorithms=["HS256"])
    return json.dumps({name: claims[name] for name in claims if name not in ("iat", "exp")})


def called(case):
    fields = {"content-type": "application/json"}
    if "key" in case:
        fields["key"] = case["key"]
    bearer = signed(case["sign"]) if "sign" in case else case.get("bearer")
    if bearer is not None:
        fields["Authorization"] = f"Bearer {bearer}"
    answer = session.post(case["url"], data=case["body"].encode(), headers=fields)
    body = answer.json()
    entry = body.get("response", body)
    entry = entry[0] if isinstance(entry, list) else entry
    return f"{answer.status_code} {entry.get('code', 'no code')}"


for case in json.load(open(sys.argv[1])):
    print(json.dumps(opened(case["open"]) if "open" in case else called(case)), flush=True)
