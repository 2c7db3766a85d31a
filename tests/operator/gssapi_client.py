"""A client of RFC 1961 that knows nothing of the project: what it sees, it prints as one line of JSON."""

import errno
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import gssapi

FLAG = gssapi.RequirementFlag
PIECE = 16000
# How long anything may take, in seconds: what takes longer hangs.
PATIENCE = 120


class Aborted(Exception):
    pass


def read(sock, count):
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} of {count} bytes")
        data += chunk
    return data


def get(sock):
    head = read(sock, 2)
    if head == b"\x01\xff":
        raise Aborted()
    assert head[0] == 1, head
    return head[1], read(sock, struct.unpack(">H", read(sock, 2))[0])


def put(sock, kind, token):
    sock.sendall(struct.pack(">BBH", 1, kind, len(token)) + token)


class Client:
    def __init__(self, port, level, nec=False, service="rcmd@localhost", flags=None, hold=0):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(b"\x05\x02\x00\x01")
        method = read(self.sock, 2)
        if method != b"\x05\x01":
            raise Aborted(method.hex())
        name = gssapi.Name(service, gssapi.NameType.hostbased_service)
        self.context = gssapi.SecurityContext(
            name=name,
            usage="initiate",
            flags=flags
            or [FLAG.mutual_authentication, FLAG.replay_detection, FLAG.out_of_sequence_detection, FLAG.integrity,
                FLAG.confidentiality],
        )
        token = self.context.step()
        time.sleep(hold)
        put(self.sock, 1, token)
        kind, token = get(self.sock)
        assert kind == 1
        if token:
            self.context.step(token)
        assert self.context.complete
        if nec:
            put(self.sock, 2, bytes([level]))
            self.level = get(self.sock)[1][0]
        else:
            put(self.sock, 2, self.context.wrap(bytes([level]), False).message)
            self.level = self.context.unwrap(get(self.sock)[1]).message[0]

    def wrap(self, data):
        if self.level == 0:
            return data
        token = self.context.wrap(data, self.level == 2).message
        return struct.pack(">BBH", 1, 3, len(token)) + token

    def send(self, data):
        self.sock.sendall(self.wrap(data))

    def receive(self):
        if self.level == 0:
            return self.sock.recv(4096)
        kind, token = get(self.sock)
        assert kind == 3
        message = self.context.unwrap(token)
        assert self.level != 2 or message.encrypted
        return message.message

    def ask(self, command, port):
        self.send(b"\x05" + bytes([command]) + b"\x00\x01\x7f\x00\x00\x01" + struct.pack(">H", port))
        return self.receive()

    def ending(self, last=b"", half=False):
        """How the server leaves, over these last bytes."""
        try:
            # It may leave before it has all of them.
            self.sock.sendall(last)
            if half:
                self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(65536):
                pass
            return "fin"
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
            return "reset"


def bulk(port, level, target, size):
    client = Client(port, level)
    reply = client.ask(1, target)
    sent, came = hashlib.sha256(), hashlib.sha256()
    block = os.urandom(1 << 20)

    def sending():
        left = size
        while left > 0:
            piece = block[: min(PIECE, left)]
            sent.update(piece)
            client.send(piece)
            left -= len(piece)
        client.sock.shutdown(socket.SHUT_WR)

    started = time.monotonic()
    thread = threading.Thread(target=sending)
    thread.start()
    count = 0
    try:
        while True:
            data = client.receive()
            came.update(data)
            count += len(data)
    except EOFError as end:
        assert str(end).startswith("0 of"), end
    thread.join()
    return {
        "level": client.level,
        "reply": reply[1],
        "count": count,
        "same": sent.hexdigest() == came.hexdigest(),
        "seconds": time.monotonic() - started,
    }


def udp(port, level, target):
    client = Client(port, level)
    reply = client.ask(3, 0)
    relay = ("127.0.0.1", struct.unpack(">H", reply[-2:])[0])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    head = b"\x00\x00\x00\x01\x7f\x00\x00\x01" + struct.pack(">H", target)
    sock.sendto(head + b"in the clear", relay)
    sock.sendto(b"\x01\x03\x00\x05abcde", relay)
    came = []
    tokens = [client.wrap(head + text) for text in (b"one", b"two", b"three", b"big" * 400)]
    flipped = bytearray(tokens[0])
    flipped[-1] ^= 1
    # Changed, twice, and in another order.
    for token in (bytes(flipped), tokens[0], tokens[0], tokens[2], tokens[1], tokens[3]):
        sock.sendto(token, relay)
    while len(came) < 4:
        data = sock.recv(65536)
        assert data[:2] == b"\x01\x03", data
        message = client.context.unwrap(data[4:])
        assert level != 2 or message.encrypted
        assert message.message[:10] == head
        came.append(message.message[10:].decode())
    client.sock.close()
    # Nothing says that datagrams keep their order.
    return {"came": sorted(came)}


def bind(port, level):
    client = Client(port, level)
    first = client.ask(2, 0)
    peer = socket.create_connection(("127.0.0.1", struct.unpack(">H", first[-2:])[0]), timeout=PATIENCE)
    second = client.receive()
    peer.sendall(b"from the peer")
    came = client.receive()
    client.send(b"to the peer")
    client.sock.shutdown(socket.SHUT_WR)
    went = peer.recv(100)
    rest = peer.recv(100)
    peer.close()
    return {"replies": [first[1], second[1]], "came": came.decode(), "went": went.decode(), "rest": rest.decode()}


def broken(port, how, target):
    client = Client(port, 2)
    client.ask(1, target)
    client.send(b"good")
    echo = client.receive().decode()
    half = False
    if how == "tampered":
        last = bytearray(client.wrap(b"evil"))
        last[len(last) // 2] ^= 0x40
    elif how == "replayed":
        last = client.wrap(b"once")
        client.sock.sendall(last)
        client.receive()
    elif how == "missing":
        client.wrap(b"lost")
        last = client.wrap(b"after")
    elif how == "truncated":
        last = client.wrap(b"half")[:30]
        half = True
    elif how == "oversized":
        last = b"\x01\x03\xff\xff" + os.urandom(65535)
    elif how == "clear":
        token = client.context.wrap(b"clear", False).message
        last = struct.pack(">BBH", 1, 3, len(token)) + token
    elif how == "garbage":
        last = b"GET / HTTP/1.1\r\n\r\n"
    elif how == "vanished":
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sock.close()
        return {"echo": echo}
    return {"echo": echo, "ending": client.ending(last, half)}


def token(port, text):
    """What becomes of something else in place of the first token."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.sendall(b"\x05\x01\x01")
    read(sock, 2)
    sock.sendall(bytes.fromhex(text) if text != "oversized" else b"\x01\x01\xff\xff" + os.urandom(65535))
    sock.shutdown(socket.SHUT_WR)
    data = b""
    while chunk := sock.recv(4096):
        data += chunk
    return {"answer": data.hex()}


def twice(port):
    """The same first token on two connections, as whoever listened in could send it."""
    name = gssapi.Name("rcmd@localhost", gssapi.NameType.hostbased_service)
    first = gssapi.SecurityContext(name=name, usage="initiate").step()
    answers = []
    for _ in range(2):
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        sock.sendall(b"\x05\x01\x01")
        read(sock, 2)
        put(sock, 1, first)
        answers.append(read(sock, 2).hex())
        sock.close()
    return {"answers": answers}


def crowd(port, count):
    """Many at once."""
    clients = []
    threads = [threading.Thread(target=lambda: clients.append(Client(port, 2))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"levels": [client.level for client in clients]}


def logins(port, count, target):
    for _ in range(count):
        client = Client(port, 2)
        client.ask(1, target)
        client.send(b"x")
        client.receive()
        client.sock.close()
    return {"count": count}


def stay(port, target):
    """Stays until it is sent away."""
    client = Client(port, 2)
    reply = client.ask(1, target)
    client.send(b"here")
    client.receive()
    # Whoever hears this knows that the answer has come.
    client.send(b", and staying")
    return {"reply": reply[1], "ending": client.ending()}


def login(port, level, *more):
    options = dict(pair.split("=") for pair in more)
    if "lasts" in options:
        # Made here: whoever starts may take longer than the ticket lasts.
        os.environ["KRB5CCNAME"] += "-short"
        kinit = ["/usr/bin/kinit", "-k", "-t", options["users"], "-l", options["lasts"], "alice"]
        subprocess.run(kinit, check=True, stdout=subprocess.DEVNULL)
    flags = [FLAG.mutual_authentication, FLAG.integrity] if options.get("flags") == "few" else None
    client = Client(
        port,
        level,
        nec="nec" in options,
        service=options.get("service", "rcmd@localhost"),
        flags=flags,
        hold=float(options.get("hold", "0")),
    )
    if "target" not in options:
        return {"level": client.level}
    reply = client.ask(1, int(options["target"]))
    if reply[1] != 0:
        return {"level": client.level, "reply": reply[1], "ending": client.ending()}
    client.send(b"hello")
    return {"level": client.level, "reply": reply[1], "echo": client.receive().decode()}


def main():
    what, port, *more = sys.argv[1:]
    arguments = [int(word) if word.isdigit() and what != "token" else word for word in more]
    functions = {"bulk": bulk, "udp": udp, "bind": bind, "broken": broken, "token": token, "logins": logins,
                 "stay": stay, "twice": twice, "crowd": crowd,
                 "login": login}
    try:
        print(json.dumps(functions[what](int(port), *arguments)))
    except (Aborted, EOFError, ConnectionResetError) as error:
        print(json.dumps({"error": type(error).__name__}))


main()
