"""Does one thing with boto3: sigv4_boto3.py CALL, where CALL is JSON.

What is presigned is printed; what went wrong is printed as `failed: ` and why.
"""

import datetime
import io
import json
import sys

import boto3
import botocore.auth
from botocore.config import Config

call = json.loads(sys.argv[1])
behind = datetime.timedelta(hours=call.get("hours_behind", 0))
now = botocore.auth.get_current_datetime
botocore.auth.get_current_datetime = lambda *given, **named: now(*given, **named) - behind

client = boto3.client(
    call["service"],
    endpoint_url=call["endpoint"],
    region_name=call["region"],
    aws_access_key_id=call["id"],
    aws_secret_access_key=call["secret"],
    aws_session_token=call.get("token"),
    verify=call.get("certificate"),
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    if call["service"] == "s3"
    else Config(retries={"total_max_attempts": 1}),
)
where = {"Bucket": call.get("bucket"), "Key": call.get("key")}
content = call.get("content", "").encode()
try:
    match call["do"]:
        case "put":
            client.put_object(Body=content, **where)
        case "stream":
            client.put_object(Body=io.BytesIO(content), **where)
        case "get":
            client.get_object(**where)
        case "identity":
            client.get_caller_identity()
        case "presign":
            print(client.generate_presigned_url("get_object", Params=where, ExpiresIn=call["expires"]), end="")
        case "presign put":
            print(client.generate_presigned_url("put_object", Params=where, ExpiresIn=call["expires"]), end="")
except Exception as error:
    print("failed:", type(error).__name__, error, end="")
