"""A mail server that is not ours (aiosmtpd): keeps what it takes, as JSON, one file a mail."""

import asyncio
import email
import email.policy
import json
import os
import sys

from aiosmtpd.smtp import SMTP

ready, folder = sys.argv[1:]
os.makedirs(folder)
count = 0


class Keep:
    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": mail["Subject"],
            "message_id": mail["Message-ID"],
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "parts": parts,
        }
        path = os.path.join(folder, f"{count}.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(kept, file)
        os.rename(path + ".new", path)
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    with open(ready + ".new", "w", encoding="utf-8") as file:
        json.dump({"port": server.sockets[0].getsockname()[1]}, file)
    os.rename(ready + ".new", ready)
    await server.serve_forever()


asyncio.run(main())
