"""Gets a page under Digest, or posts to it: digest_client.py requests|httpx USER PASSWORD URL TIMES BODY."""

import sys

library, user, password, url, times, body = sys.argv[1:]

if library == "requests":
    import requests
    from requests.auth import HTTPDigestAuth

    client, auth = requests.Session(), HTTPDigestAuth(user, password)
else:
    import httpx

    client, auth = httpx.Client(), httpx.DigestAuth(user, password)

for _ in range(int(times)):
    answer = client.post(url, data=body.encode(), auth=auth) if body and library == "requests" else (
        client.post(url, content=body.encode(), auth=auth) if body else client.get(url, auth=auth)
    )
