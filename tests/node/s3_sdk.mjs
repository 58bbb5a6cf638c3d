// What the tests do with the AWS SDK for JavaScript: `node s3_sdk.mjs JOB`, arguments as JSON on standard input, the answer as JSON on
// standard output.
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
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
};
process.stdout.write(JSON.stringify(await jobs[process.argv[2]]()));
