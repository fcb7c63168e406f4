"""A mail server for tests, on aiosmtpd: STARTTLS, a login, and mails as files.

usage: server.py MAILS CERTIFICATE KEY USER PASSWORD-FILE PORT

MAILS gets a file 000001.eml for each mail. A recipient `refused@…` is refused for good, `busy@…` for now and taken the second
time. Says its port in its first line and ends when its standard input does.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

mails, certificate, key, user, password, port = sys.argv[1:]
busy = set()


class Handler:
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "refused":
            return f"550 5.1.1 <{address}>: no such mailbox"
        if name == "busy" and address not in busy:
            busy.add(address)
            return "450 4.2.1 the mailbox is busy"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        Handler.taken += 1
        file = pathlib.Path(mails, f"{Handler.taken:06}.eml")
        file.with_suffix(".part").write_bytes(envelope.content)
        file.with_suffix(".part").rename(file)
        return "250 2.0.0 taken"


def known(server, session, envelope, mechanism, data):
    right = data.login == user.encode() and data.password.decode() == pathlib.Path(password).read_text().strip()
    return AuthResult(success=right, handled=False)


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    serve = lambda: SMTP(
        Handler(), tls_context=tls, require_starttls=True, auth_required=True, authenticator=known, hostname="localhost"
    )
    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", int(port))
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
