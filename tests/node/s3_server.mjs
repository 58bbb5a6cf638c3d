// An S3 server for the tests: s3rver keeps the buckets; what it leaves out is done here, with the AWS SDK's own code: each request's
// Signature V4 is computed again and compared, a pre-signed URL's time has to be right, and a body has to have the SHA-256 that was signed.
// `node --openssl-legacy-provider s3_server.mjs FOLDER BUCKET...` (s3rver's continuation tokens are encrypted with DES) says "listening PORT".
import { Hash } from '@smithy/hash-node';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import S3rver from 's3rver';

const [folder, ...buckets] = process.argv.slice(2);
const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const longestSkew = 15 * 60 * 1000;

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function signingDate(text) {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '') ?? [];
  if (!year) throw new Refusal('AccessDenied', 'no valid x-amz-date');
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

function signer(credential, sessionToken) {
  const [id, , region, service, end] = (credential ?? '').split('/');
  if (id !== credentials.accessKeyId) throw new Refusal('InvalidAccessKeyId', 'no such access key');
  if (service !== 's3' || end !== 'aws4_request' || !region) throw new Refusal('AuthorizationHeaderMalformed', 'the credential scope is wrong');
  return new SignatureV4({
    credentials: { ...credentials, ...(sessionToken ? { sessionToken } : {}) }, region, service, sha256: Hash.bind(null, 'sha256'), uriEscapePath: false, applyChecksum: true,
  });
}

function same(expected, given) {
  const [a, b] = [Buffer.from(expected), Buffer.from(given ?? '')];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new Refusal('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.');
}

function plainRequest(request, names, withoutQuery = []) {
  const url = new URL(request.url, 'http://unused');
  const query = {};
  for (const [name, value] of url.searchParams) {
    if (!withoutQuery.includes(name)) query[name] = value;
  }
  const headers = Object.fromEntries(names.map((name) => [name, request.headers[name] ?? '']));
  return new HttpRequest({ method: request.method, hostname: 'unused', path: request.url.split('?')[0], query, headers });
}

async function checkHeader(request, body) {
  const fields = Object.fromEntries(request.headers.authorization.replace(/^AWS4-HMAC-SHA256 /, '').split(/,\s*/).map((one) => one.split(/=(.*)/s).slice(0, 2)));
  const date = signingDate(request.headers['x-amz-date']);
  if (Math.abs(Date.now() - date) > longestSkew) throw new Refusal('RequestTimeTooSkewed', 'the clocks differ');
  const names = fields.SignedHeaders.split(';');
  const unsigned = Object.keys(request.headers).filter((name) => (name === 'host' || name.startsWith('x-amz-')) && !names.includes(name));
  if (unsigned.length > 0) throw new Refusal('AccessDenied', `headers that were not signed: ${unsigned}`);
  const added = ['x-amz-date', 'x-amz-security-token'];
  const signed = await signer(fields.Credential, request.headers['x-amz-security-token']).sign(plainRequest(request, names.filter((one) => !added.includes(one))), { signingDate: date });
  same(signed.headers.authorization, request.headers.authorization.replace(/,\s*/g, ', '));
  const payload = request.headers['x-amz-content-sha256'];
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== createHash('sha256').update(body).digest('hex'))
    throw new Refusal('XAmzContentSHA256Mismatch', 'the body is not the one that was signed');
}

async function checkQuery(request) {
  const query = new URL(request.url, 'http://unused').searchParams;
  const date = signingDate(query.get('X-Amz-Date'));
  const seconds = Number(query.get('X-Amz-Expires'));
  if (!(seconds > 0 && seconds <= 604800)) throw new Refusal('AuthorizationQueryParametersError', 'X-Amz-Expires is out of range');
  const own = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'X-Amz-Signature', 'X-Amz-Security-Token'];
  // A body that is no text stands for UNSIGNED-PAYLOAD.
  const presigned = await signer(query.get('X-Amz-Credential'), query.get('X-Amz-Security-Token'))
    .presign(Object.assign(plainRequest(request, query.get('X-Amz-SignedHeaders').split(';'), own), { body: Readable.from([]) }), { expiresIn: seconds, signingDate: date });
  same(presigned.query['X-Amz-Signature'], query.get('X-Amz-Signature'));
  if (Date.now() >= date.getTime() + seconds * 1000) throw new Refusal('AccessDenied', 'Request has expired');
}

async function check(request, body) {
  if (request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) return checkHeader(request, body);
  if (/[?&]X-Amz-Signature=/.test(request.url)) return checkQuery(request);
  throw new Refusal('AccessDenied', 'Access Denied');
}

/// The request again, with a body that can be read again.
function again(request, body) {
  const copy = Readable.from(body.length > 0 ? [body] : []);
  const headers = { ...request.headers };
  // s3rver reads this one with decodeURI, S3 with decodeURIComponent.
  if (headers['x-amz-copy-source']) headers['x-amz-copy-source'] = encodeURI(decodeURIComponent(headers['x-amz-copy-source']));
  return Object.assign(copy, {
    method: request.method, url: request.url, headers, rawHeaders: request.rawHeaders, httpVersion: request.httpVersion, httpVersionMajor: 1,
    httpVersionMinor: 1, socket: request.socket, connection: request.socket,
  });
}

const store = new S3rver({
  directory: folder, silent: true, allowMismatchedSignatures: true, serviceEndpoint: 'localhost', configureBuckets: buckets.map((name) => ({ name, configs: [] })),
});
await store.configureBuckets();
const serve = store.callback();
const server = createServer(async (request, response) => {
  try {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    await check(request, body);
    serve(again(request, body), response);
  } catch (problem) {
    if (request.errored || response.headersSent) return request.destroy();
    response.writeHead(problem instanceof Refusal ? 403 : 500, { 'content-type': 'application/xml' });
    response.end(request.method === 'HEAD' ? '' : `<Error><Code>${problem.code ?? 'InternalError'}</Code><Message>${String(problem.message).replace(/[<&]/g, ' ')}</Message></Error>`);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
