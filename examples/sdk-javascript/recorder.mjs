// Records what fetch sends and receives, as HTTP Archive 1.2.
import { writeFileSync } from "node:fs";

const rows = (headers) => [...headers].map(([name, value]) => ({ name, value }));

// Has every call of `fetch` recorded from now on. Returns a function that writes them to a file.
export function record() {
  const send = globalThis.fetch;
  const entries = [];
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const sent = await request.clone().text();
    const started = new Date();
    const response = await send(request);
    const text = await response.clone().text();
    const size = Buffer.byteLength(text);
    entries.push({
      startedDateTime: started.toISOString(),
      time: Date.now() - started.getTime(),
      request: {
        method: request.method, url: request.url, httpVersion: "HTTP/1.1", cookies: [], queryString: [],
        headers: rows(request.headers), headersSize: -1, bodySize: Buffer.byteLength(sent),
        ...(sent && { postData: { mimeType: request.headers.get("content-type") ?? "", text: sent } }),
      },
      response: {
        status: response.status, statusText: response.statusText, httpVersion: "HTTP/1.1", cookies: [],
        headers: rows(response.headers), redirectURL: "", headersSize: -1, bodySize: size,
        content: { size, mimeType: response.headers.get("content-type") ?? "", text },
      },
      cache: {},
      timings: { send: 0, wait: Date.now() - started.getTime(), receive: 0 },
    });
    return response;
  };
  return (file) => {
    const creator = { name: "sdk-javascript", version: "1" };
    writeFileSync(file, JSON.stringify({ log: { version: "1.2", creator, entries } }));
  };
}
