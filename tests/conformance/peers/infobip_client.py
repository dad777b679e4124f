"""Infobip's own client: infobip_client.py BASE, with the calls in INFOBIP_CALLS as a JSON list of [HOW, KEY, WHAT].

HOW is `key` for a key as the client takes it today, `bare` for one without the word before it, `none` for none, and
anything else is the word before it. WHAT is `send`, `empty` or `inbound`. Each line of the answer is what came out.
"""

import json
import os
import sys
import warnings

os.environ["NO_PROXY"] = "*"
warnings.simplefilter("ignore")

from infobip_api_client import ApiClient, Configuration
from infobip_api_client.api.sms_api import SmsApi
from infobip_api_client.exceptions import ApiException
from infobip_api_client.models import (
    SmsDestination,
    SmsMessage,
    SmsMessageContent,
    SmsRequest,
    SmsTextContent,
)

base = sys.argv[1]


def said(how, key, what):
    if how == "key":
        settings = {"api_key": key}
    elif how == "bare":
        settings = {"api_key": {"APIKeyHeader": key}}
    elif how == "none":
        settings = {}
    else:
        settings = {"api_key": key, "api_key_prefix": how}
    # Throttling is told, and not waited for.
    api = SmsApi(ApiClient(Configuration(host=base, retries=0, **settings)))
    message = SmsMessage(
        destinations=[SmsDestination(to="41793026727")],
        content=SmsMessageContent(actual_instance=SmsTextContent(text="Hello")),
    )
    try:
        if what == "inbound":
            return f"{len(api.get_inbound_sms_messages().results)} messages"
        messages = [message] if what == "send" else []
        answer = api.send_sms_messages(SmsRequest(messages=messages))
        assert all(one.message_id and one.status for one in answer.messages)
        return f"{len(answer.messages)} message"
    except ApiException as error:
        body = json.loads(error.body)
        code = body["requestError"]["serviceException"]["messageId"]
        return f"{type(error).__name__} {error.status} {code}"


for call in json.loads(os.environ["INFOBIP_CALLS"]):
    print(said(*call), flush=True)
