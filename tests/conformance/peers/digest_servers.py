"""Servers with Digest from Python: digest_servers.py httpbin|flask PORT REALM USER PASSWORD.

Each request is one line on standard output: the status, and the credentials that came with it.
"""

import logging
import sys

from werkzeug.serving import run_simple

kind, port, realm, user, password = sys.argv[1:]


def flask():
    from flask import Flask
    from flask_httpauth import HTTPDigestAuth

    app = Flask("digest")
    app.config["SECRET_KEY"] = "for one run"
    for path, algorithm in (("md5", "MD5"), ("md5-sess", "MD5-Sess")):
        auth = HTTPDigestAuth(realm=realm, qop="auth", algorithm=algorithm)
        auth.get_password(lambda name: password if name == user else None)
        app.add_url_rule(f"/{path}", path, auth.login_required(lambda: "behind Digest\n"))
    return app


def httpbin():
    import httpbin

    return httpbin.app


def saying(app):
    def said(environ, start):
        def starting(status, *rest):
            print(status[:3], environ.get("HTTP_AUTHORIZATION", "-"), flush=True)
            return start(status, *rest)

        return app(environ, starting)

    return said


logging.getLogger("werkzeug").disabled = True
run_simple("127.0.0.1", int(port), saying({"flask": flask, "httpbin": httpbin}[kind]()), threaded=True)
