#!/usr/bin/env node
// A Ringwright application: greets the caller, asks for a number, says it, hangs up. Node.js 18, nothing to install.
//
// Run: node application.js [PORT]; Ringwright's callback_url is then http://127.0.0.1:PORT
'use strict';

const http = require('node:http');

const say = (text) => ({ format: 'tts', text });

const events = {
  // Somebody calls. Take the call to the IVR; sessionReferenceId comes back with every later request of the call.
  '/newCall': (call) => {
    console.log(`${call.callingParty} calls ${call.calledParty}`);
    return { action: 'ivr', sessionReferenceId: 'greeted' };
  },

  // The IVR asks what to do next.
  '/getIvrCommand': (request) => {
    if (request.sessionReferenceId === 'greeted') {
      return {
        sessionReferenceId: 'asked',
        phrases: [say('Hello. Please enter your customer number, and then the hash key.')],
        dtmf: { maxDigits: 8, terminationKey: '#', firstTimeout: 10 },
        bargeIn: 'all',
        bargeInOn: 'digit',
      };
    }
    const digits = request.dtmfParams?.dtmfMatch ?? '';
    const text = digits ? `You entered ${[...digits].join(', ')}` : 'You entered nothing';
    return { phrases: [say(`${text}. Goodbye.`)], hangup: true };
  },

  '/sessionCompleted': (session) => {
    console.log(`call over after ${session.sessionDuration} s: ${session.reason}`);
    return {};
  },
};

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    let answer;
    try {
      answer = JSON.stringify((events[request.url] ?? (() => ({})))(JSON.parse(Buffer.concat(parts))));
    } catch (problem) {
      response.writeHead(400).end(String(problem));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) });
    response.end(answer);
  });
});

server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
