"""A mail server that keeps what it is given (RFC 5321, as much of it as a client needs).

Addresses whose local part is "refused" are refused for good, and those whose local part is "slow" get no answer.
"""
import asyncio
import base64
import ssl
import threading


class Sink:
    """Listens on a free port of the loopback interface.  certificate: (cert, key) files; with it TLS from the
    first byte, or, with starttls, from STARTTLS on.  login: (user, password) that it demands."""

    def __init__(self, certificate=None, starttls=False, login=None):
        self.mails = []             # (sender, recipients, data)
        self.logins = []
        self.login = login
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.starttls = starttls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=None if self.starttls else self.tls))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader, writer):
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader, writer):
        sender, recipients, is_in, is_tls = None, [], self.login is None, self.tls is not None and not self.starttls

        def say(text):
            writer.write(text.encode() + b"\r\n")

        say("220 sink")
        while line := await reader.readline():
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                if self.starttls and not is_tls:
                    say("250-STARTTLS")
                if self.login:
                    say("250-AUTH PLAIN")
                say("250 sink")
            elif verb == "STARTTLS" and self.starttls:
                say("220 go ahead")
                await writer.drain()
                await writer.start_tls(self.tls)
                is_tls = True
            elif verb == "AUTH":
                say("334 ")
                await writer.drain()
                _, user, password = base64.b64decode(await reader.readline()).decode().split("\0")
                self.logins.append((user, password))
                is_in = (user, password) == self.login
                say("235 welcome" if is_in else "535 no")
            elif verb == "MAIL" and is_in:
                sender, recipients = rest, []
                say("250 ok")
            elif verb == "RCPT" and sender and "<refused@" in rest:
                say("550 no such mailbox")
            elif verb == "RCPT" and sender and "<slow@" in rest:
                await reader.read()     # until the client has gone
                return
            elif verb == "RCPT" and sender:
                recipients.append(rest)
                say("250 ok")
            elif verb == "DATA" and recipients:
                say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += await reader.readline()
                self.mails.append((sender, recipients, data[:-3]))
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("503 not now")
            await writer.drain()
