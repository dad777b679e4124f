"""Infobip by requests, as the platform's page on authentication describes it: infobip_requests.py BASE, with one call in
INFOBIP_CALL as a JSON list.

["app", KEY]                 a message under `Authorization: App`
["basic", USER, PASSWORD]    a message under requests' own Basic
["make-key", USER, PASSWORD] a new API key, made under Basic
["disable", USER, PASSWORD, ID]
["create", USER, PASSWORD]   a session
["ibsso", TOKEN]             a message under it
["destroy", TOKEN]
["token", USER, PASSWORD]    an OAuth access token, asked for with a form
["bearer", TOKEN]            a message under it
["none"]                     a message under nothing

The answer is one line of JSON: status, and body.
"""

import json
import os
import sys

import requests

base = sys.argv[1]
session = requests.Session()
session.trust_env = False

MESSAGE = {
    "messages": [
        {"destinations": [{"to": "41793026727"}], "content": {"text": "Hello"}}
    ]
}


def call(what, *arguments):
    def authorization(scheme):
        return {"Authorization": f"{scheme} {arguments[0]}"}

    def message(**how):
        return session.post(f"{base}/sms/3/messages", json=MESSAGE, **how)

    # requests encodes a text as Latin-1; bytes go as they are.
    basic = tuple(argument.encode() for argument in arguments[:2])
    if what == "app":
        return message(headers=authorization("App"))
    if what == "basic":
        return message(auth=basic)
    if what == "ibsso":
        return message(headers=authorization("IBSSO"))
    if what == "bearer":
        return message(headers=authorization("Bearer"))
    if what == "none":
        return message()
    if what == "make-key":
        url = f"{base}/settings/2/api-keys"
        return session.post(url, json={"name": "made with requests"}, auth=basic)
    if what == "disable":
        url = f"{base}/settings/2/api-keys/{arguments[2]}"
        return session.put(url, json={"enabled": False}, auth=basic)
    if what == "create":
        user, password = arguments
        body = {"username": user, "password": password}
        return session.post(f"{base}/auth/1/session", json=body)
    if what == "destroy":
        return session.delete(f"{base}/auth/1/session", headers=authorization("IBSSO"))
    if what == "token":
        user, password = arguments
        form = {
            "client_id": user,
            "client_secret": password,
            "grant_type": "client_credentials",
        }
        return session.post(f"{base}/auth/1/oauth2/token", data=form)
    raise SystemExit(f"unknown call {what}")


answer = call(*json.loads(os.environ["INFOBIP_CALL"]))
body = answer.json() if answer.content else None
print(json.dumps({"status": answer.status_code, "body": body}))
