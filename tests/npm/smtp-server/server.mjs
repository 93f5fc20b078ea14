// An SMTP server that tells, a line of JSON each, where it listens and what it is sent. It ends with its standard input.
//
// OPTIONS (JSON): port; tls: "none" | "starttls" | "wrapped" with key and cert (files); user and password, when it asks for
// them. Recipients decide how they are answered: later.N@… is refused for now N times, never@… for good.
import { readFileSync } from "node:fs";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const options = JSON.parse(process.argv[2]);
const tell = (event) => process.stdout.write(JSON.stringify(event) + "\n");
const refused = (code, words) => Object.assign(new Error(words), { responseCode: code });
const tries = new Map();

const hidden = ["AUTH"];
if (options.tls !== "starttls") hidden.push("STARTTLS");
if (options.user) hidden.shift();

const server = new SMTPServer({
  secure: options.tls === "wrapped",
  key: options.key && readFileSync(options.key),
  cert: options.cert && readFileSync(options.cert),
  disabledCommands: hidden,
  authOptional: !options.user,
  allowInsecureAuth: true,
  disableReverseLookup: true,
  logger: false,
  onAuth(auth, session, done) {
    const good = auth.username === options.user && auth.password === options.password;
    tell({ event: "auth", good, secure: session.secure });
    return good ? done(null, { user: auth.username }) : done(refused(535, "5.7.8 who are you"));
  },
  onRcptTo(address, session, done) {
    const [local] = address.address.split("@");
    const tried = (tries.get(address.address) ?? 0) + 1;
    tries.set(address.address, tried);
    tell({ event: "recipient", address: address.address, tried });
    const later = /^later\.(\d+)$/.exec(local);
    if (local === "never") return done(refused(550, `5.1.1 <${address.address}> no such mailbox`));
    if (later && tried <= Number(later[1])) return done(refused(451, "4.7.1 come back later"));
    return done();
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", async () => {
      const raw = Buffer.concat(chunks);
      const mail = await simpleParser(raw);
      tell({
        event: "message",
        secure: session.secure,
        hello: session.hostNameAppearsAs,
        envelope: { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((to) => to.address) },
        from: mail.from?.value,
        to: mail.to?.value,
        subject: mail.subject,
        date: mail.date,
        messageId: mail.messageId,
        headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line])),
        text: mail.text,
        html: mail.html,
        attachments: mail.attachments.length,
        raw: raw.toString("latin1"),
      });
      done();
    });
  },
});

server.on("error", (error) => tell({ event: "error", words: error.message }));
server.listen(options.port ?? 0, "127.0.0.1", () => tell({ event: "listening", port: server.server.address().port }));
process.stdin.on("end", () => process.exit(0)).resume();
