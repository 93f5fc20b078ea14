// An independent DNS server: it answers with the TXT records of a JSON file, { "name": ["text", …] }, read at each question.
// It prints its port in one line when it listens on 127.0.0.1.
import { readFileSync } from "node:fs";
import dns2 from "dns2";

const { Packet } = dns2;
const server = dns2.createServer({
  udp: true,
  handle: (request, send) => {
    const response = Packet.createResponseFromRequest(request);
    const [{ name, type }] = request.questions;
    const records = JSON.parse(readFileSync(process.argv[2], "utf8"))[name.toLowerCase()] ?? [];
    if (type === Packet.TYPE.TXT) {
      for (const data of records) {
        response.answers.push({ name, type, class: Packet.CLASS.IN, ttl: 300, data });
      }
    }
    // NXDOMAIN
    if (records.length === 0) response.header.rcode = 3;
    send(response);
  },
});
await server.listen({ udp: { port: 0, address: "127.0.0.1", type: "udp4" } });
console.log(server.addresses().udp.port);
