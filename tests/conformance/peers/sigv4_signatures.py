"""Signs requests with botocore: sigv4_signatures.py ID SECRET REGION FILE, one request in JSON on each line of the file.

Prints a signature for each, or `failed: ` and why.
"""

import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

key_id, secret, region, file = sys.argv[1:]
moment = datetime.datetime(2026, 1, 2, 3, 4, 5)
botocore.auth.get_current_datetime = lambda *_, **__: moment


def signer(case):
    credentials = Credentials(key_id, secret, case["token"])
    of_s3 = case["service"] == "s3"
    if case["expires"]:
        kind = botocore.auth.S3SigV4QueryAuth if of_s3 else botocore.auth.SigV4QueryAuth
        return kind(credentials, case["service"], region, expires=case["expires"])
    kind = botocore.auth.S3SigV4Auth if of_s3 else botocore.auth.SigV4Auth
    return kind(credentials, case["service"], region)


for line in open(file, encoding="utf-8"):
    case = json.loads(line)
    request = AWSRequest(method=case["method"], url=case["url"], data=bytes(case["body"]))
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    try:
        signer(case).add_auth(request)
        text = request.url if case["expires"] else request.headers["Authorization"]
        print(text.rsplit("Signature=", 1)[1])
    except Exception as error:
        print("failed:", type(error).__name__, str(error).replace("\n", " "))
