"""Delivers a webhook with requests or botocore: webhook_client.py CALL, where CALL is JSON.

Prints the body of the answer, and its status in a line of its own.
"""

import json
import sys

call = json.loads(sys.argv[1])
body, fields = call["body"].encode(), {"content-type": "application/json"}

if call["library"] == "requests":
    import requests
    from requests.auth import HTTPBasicAuth, HTTPDigestAuth

    auth = None
    match call["kind"]:
        case "basic":
            auth = HTTPBasicAuth(call["user"].encode(), call["secret"].encode())
        case "basic-text":
            auth = HTTPBasicAuth(call["user"], call["secret"])
        case "digest":
            auth = HTTPDigestAuth(call["user"], call["secret"])
        case "api-key":
            fields[call["user"]] = call["secret"]
    session = requests.Session()
    session.trust_env = False
    for _ in range(call["times"]):
        answer = session.post(call["url"], data=body, headers=fields, auth=auth)
    status, text = answer.status_code, answer.text
else:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    request = AWSRequest("POST", call["url"], fields, body)
    credentials = Credentials(call["user"], call["secret"])
    SigV4Auth(credentials, call["service"], call["region"]).add_auth(request)
    if "other_body" in call:
        request.data = call["other_body"].encode()
    answer = URLLib3Session(proxies={}).send(request.prepare())
    status, text = answer.status_code, answer.text

print(text)
print(status, end="")
