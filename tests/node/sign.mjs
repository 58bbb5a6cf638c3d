// The Authorization header that the AWS SDK's own code makes for a request: it stands as JSON on standard input.
import { Hash } from '@smithy/hash-node';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { readFileSync } from 'node:fs';

const { keyId, secret, region, service, date, method, path, headers, body } = JSON.parse(readFileSync(0, 'utf8'));
const signer = new SignatureV4({
  credentials: { accessKeyId: keyId, secretAccessKey: secret }, region, service, sha256: Hash.bind(null, 'sha256'), applyChecksum: false,
});
const signed = await signer.sign(new HttpRequest({ method, hostname: 'unused', path, headers, body }), { signingDate: new Date(date) });
process.stdout.write(signed.headers.authorization);
