// What the tests do with the AWS SDK for JavaScript: `node s3_sdk.mjs JOB`, arguments as JSON on standard input, the answer as JSON on
// standard output.
import { GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { readFileSync } from 'node:fs';

const args = JSON.parse(readFileSync(0, 'utf8'));
const credentials = { accessKeyId: args.keyId, secretAccessKey: args.secret, ...(args.sessionToken ? { sessionToken: args.sessionToken } : {}) };
const client = new S3Client({
  region: args.region, endpoint: args.endpoint, credentials, forcePathStyle: args.pathStyle ?? true,
  requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
});
const bucket = args.bucket;

async function keys() {
  const found = [];
  let token;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
    found.push(...(page.Contents ?? []).map((one) => ({ key: one.Key, size: one.Size })));
    token = page.NextContinuationToken;
  } while (token);
  return found;
}

async function get(key) {
  const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { key, type: object.ContentType, metadata: object.Metadata, etag: object.ETag, body: Buffer.from(await object.Body.transformToByteArray()).toString('hex') };
}

// The request that the SDK would send, without sending it.
async function signed(command) {
  let request;
  client.middlewareStack.add((_next) => async (step) => {
    request = step.request;
    return { response: { statusCode: 200, headers: {} }, output: {} };
  }, { step: 'deserialize', priority: 'high', name: 'catchRequest', override: true });
  await client.send(command);
  return { method: request.method, path: request.path, query: request.query, headers: request.headers, host: request.hostname };
}

const jobs = {
  keys,
  get: () => get(args.key),
  head: async () => {
    const object = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: args.key }));
    return { size: object.ContentLength, type: object.ContentType, metadata: object.Metadata, etag: object.ETag };
  },
  dump: async () => Promise.all((await keys()).map((one) => get(one.key))),
  put: async () => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: args.key, Body: Buffer.from(args.body, 'hex'), ContentType: args.type }));
    return {};
  },
  presign: () => getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: args.key }), {
    expiresIn: args.seconds, signingDate: new Date(args.time * 1000),
  }),
  signedGet: () => signed(new GetObjectCommand({ Bucket: bucket, Key: args.key, IfMatch: args.ifMatch })),
  signedList: () => signed(new ListObjectsV2Command({ Bucket: bucket, Prefix: args.prefix, ContinuationToken: args.token, MaxKeys: 1000 })),
};
process.stdout.write(JSON.stringify(await jobs[process.argv[2]]()));
