"""OAuth 2.0 clients from Python: oauth2_client.py LIBRARY BASE GRACE SECRET REDIRECT_URI.

BASE is a server with `/authorize`, `/token` and `/api`; that at GRACE takes a rotated refresh token once more.
Each line of the answer is JSON: id, and what came out.
"""

import json
import os
import sys
from urllib.parse import quote_plus

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["NO_PROXY"] = "*"

library, base, grace, secret, redirect_uri = sys.argv[1:]


class Authlib:
    def __init__(self, at, client, method, password):
        from authlib.integrations.requests_client import OAuth2Session

        self.at = at
        # Both libraries leave the encoding of RFC 6749 section 2.3.1 to their callers.
        encode = quote_plus if method == "client_secret_basic" else lambda text: text
        self.session = OAuth2Session(
            encode(client),
            password and encode(password),
            token_endpoint_auth_method=method,
            redirect_uri=redirect_uri,
            scope="sms:read",
            code_challenge_method="S256",
        )

    def own(self):
        return self.session.fetch_token(self.at + "/token", grant_type="client_credentials")

    def begin(self):
        from authlib.common.security import generate_token

        self.verifier = generate_token(48)
        url, self.state = self.session.create_authorization_url(
            self.at + "/authorize", code_verifier=self.verifier
        )
        return url

    def redeem(self, callback, verifier):
        return self.session.fetch_token(
            self.at + "/token", authorization_response=callback, code_verifier=verifier, state=self.state
        )

    def refresh(self, token):
        return self.session.refresh_token(self.at + "/token", refresh_token=token)


class RequestsOAuthlib:
    def __init__(self, at, client, method, password):
        from requests.auth import HTTPBasicAuth
        from requests_oauthlib import OAuth2Session

        self.at, self.client, self.method, self.password = at, client, method, password
        encoded = HTTPBasicAuth(quote_plus(client), quote_plus(password or ""))
        self.how = {
            "client_secret_basic": {"auth": encoded, "include_client_id": False},
            "client_secret_post": {"client_secret": password, "include_client_id": True},
            "none": {"include_client_id": True},
        }[method]
        self.session = OAuth2Session(
            client, redirect_uri=redirect_uri, scope=["sms:read"], pkce="S256"
        )

    def own(self):
        from oauthlib.oauth2 import BackendApplicationClient
        from requests_oauthlib import OAuth2Session

        session = OAuth2Session(client=BackendApplicationClient(self.client))
        return session.fetch_token(self.at + "/token", **self.how)

    def begin(self):
        url, self.state = self.session.authorization_url(self.at + "/authorize")
        self.verifier = self.session._code_verifier
        return url

    def redeem(self, callback, verifier):
        self.session._code_verifier = verifier
        return self.session.fetch_token(
            self.at + "/token", authorization_response=callback, **self.how
        )

    def refresh(self, token):
        how = dict(self.how)
        if how.pop("include_client_id") and "auth" not in how:
            how["client_id"] = self.client
        return self.session.refresh_token(self.at + "/token", refresh_token=token, **how)


Library = {"authlib": Authlib, "requests_oauthlib": RequestsOAuthlib}[library]
WAYS = {
    "basic": ("confidential", "client_secret_basic", secret),
    "post": ("confidential", "client_secret_post", secret),
    "none": ("public", "none", None),
}


def client(way, at=base, password=None):
    name, method, own = WAYS[way]
    return Library(at, name, method, password or own)


def browser(url):
    """Where the server sends the browser back to."""
    import requests

    return requests.get(url, allow_redirects=False).headers["Location"]


def owner(token):
    import requests

    answer = requests.get(base + "/api", headers={"Authorization": f"Bearer {token}"})
    return answer.json()["owner"] if answer.ok else str(answer.status_code)


def agreed(made):
    callback = browser(made.begin())
    return callback, made.redeem(callback, made.verifier)


def fault(run, *words):
    """The error of RFC 6749, however the library says it."""
    try:
        run(*words)
    except Exception as error:
        return getattr(error, "error", None) or type(error).__name__
    return "granted"


def own(way):
    return owner(client(way).own()["access_token"])


def wrong(way):
    return fault(client(way, password="guess").own)


def code(way):
    _, token = agreed(client(way))
    scope = token["scope"]
    scope = scope if isinstance(scope, str) else " ".join(scope)
    return f"{owner(token['access_token'])}, {token['expires_in']}, {scope}"


def refresh(way):
    made = client(way)
    _, first = agreed(made)
    first = dict(first)
    second = made.refresh(first["refresh_token"])
    rotated = second["refresh_token"] != first["refresh_token"]
    return f"{owner(second['access_token'])}, rotated: {'true' if rotated else 'false'}"


def verifier():
    made = client("basic")
    callback = browser(made.begin())
    return fault(made.redeem, callback, "x" * 43)


def replay():
    made = client("basic")
    callback, token = agreed(made)
    return f"{fault(made.redeem, callback, made.verifier)}, {owner(token['access_token'])}"


def state():
    made = client("basic")
    url = made.begin()
    callback = browser(url).replace("state=", "state=x")
    return "refused" if fault(made.redeem, callback, made.verifier) != "granted" else "granted"


def family(at):
    made = client("basic", at)
    _, first = agreed(made)
    first = dict(first)["refresh_token"]
    made.refresh(first)
    again = fault(made.refresh, first)
    return f"{again}, {fault(made.refresh, first)}"


def lost_successor():
    made = client("basic", grace)
    _, first = agreed(made)
    first = dict(first)["refresh_token"]
    second = dict(made.refresh(first))["refresh_token"]
    made.refresh(second)
    return fault(made.refresh, first)


FLOWS = [
    ("own-basic", own, "basic"),
    ("own-post", own, "post"),
    ("wrong-basic", wrong, "basic"),
    ("wrong-post", wrong, "post"),
    ("code-basic", code, "basic"),
    ("code-post", code, "post"),
    ("code-none", code, "none"),
    ("refresh-basic", refresh, "basic"),
    ("refresh-post", refresh, "post"),
    ("refresh-none", refresh, "none"),
    ("wrong-verifier", verifier),
    ("code-replayed", replay),
    ("wrong-state", state),
    ("refresh-replayed", family, base),
    ("refresh-once-more", family, grace),
    ("refresh-after-its-successor", lost_successor),
]

for name, run, *words in FLOWS:
    try:
        said = run(*words)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps({"id": name, "said": said}), flush=True)
