// What an application needs to talk with Ringwright. Node.js 18, nothing to install: copy it beside your own application.
'use strict';

const http = require('node:http');

const api = process.env.RINGWRIGHT ?? 'http://127.0.0.1:8080/example.localhost';

// A phrase that is spoken.
const say = (text) => ({ format: 'tts', text });

// The digits that the command before has collected; '' if nobody pressed any.
const pressed = (request) => request.dtmfParams?.dtmfMatch ?? '';

// Asks Ringwright to do something: command('placeivrcall', { destAddr: 'sip:phone@127.0.0.1:5081' }). Gives its answer, refusals as well.
async function command(name, members) {
  const answer = await fetch(`${api}/${name}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(members),
  });
  return answer.json();
}

// Serves Ringwright's callbacks on the port that the command line names, or 9000. `events` has a function for each callback that matters,
// from the request's JSON to the reply's (or a promise of it); all others get {}, and alarms are printed. `page` is what a browser gets.
function serve(events, page = '') {
  const other = (request) => {
    if (request.errorDetails) console.log('alarm:', JSON.stringify(request));
    return {};
  };
  const server = http.createServer((request, response) => {
    const answer = (status, kind, content) => {
      response.writeHead(status, { 'Content-Type': kind, 'Content-Length': Buffer.byteLength(content) });
      response.end(content);
    };
    if (request.method === 'GET') {
      answer(200, 'text/html; charset=utf-8', page);
      return;
    }
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      try {
        const reply = await (events[request.url.slice(1)] ?? other)(JSON.parse(Buffer.concat(parts)));
        answer(200, 'application/json', JSON.stringify(reply));
      } catch (problem) {
        console.error(problem);
        answer(500, 'text/plain', String(problem));
      }
    });
  });
  server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
  return server;
}

module.exports = { command, pressed, say, serve };
