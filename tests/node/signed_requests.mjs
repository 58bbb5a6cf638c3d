// Sends requests that the AWS SDK's own code has signed. Standard input, as JSON: {url, requests: [{keyId, secret, region, service, date,
// method, path, headers, body, then}]}; `then`: what is changed after signing: {path, headers, body}. Standard output: [{status, headers, body}].
import { Hash } from '@smithy/hash-node';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { readFileSync } from 'node:fs';
import { request as send } from 'node:http';

const { url, requests } = JSON.parse(readFileSync(0, 'utf8'));
const { hostname, port, host } = new URL(url);

async function run({ keyId, secret, token, region, service, date, method, path, headers, body, then = {} }) {
  const signer = new SignatureV4({
    credentials: { accessKeyId: keyId, secretAccessKey: secret, sessionToken: token }, region, service, sha256: Hash.bind(null, 'sha256'),
  });
  const signed = await signer.sign(new HttpRequest({ method, hostname, path, headers: { host, ...headers }, body }), { signingDate: new Date(date) });
  const content = then.body ?? body;
  return new Promise((resolve, reject) => {
    const sent = send({ hostname, port, method, path: then.path ?? path, headers: { ...signed.headers, 'content-length': Buffer.byteLength(content), ...then.headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) }));
      });
    sent.on('error', reject);
    sent.end(content);
  });
}

const answers = [];
for (const one of requests) answers.push(await run(one));
process.stdout.write(JSON.stringify(answers));
