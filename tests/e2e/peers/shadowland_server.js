'use strict';
// The independent Shadowland server, with its key lines as they come: node shadowland_server.js FOLDER '<json options>'
const { Server } = require(require('path').join(process.argv[2], 'server.js'));

const say = o => console.log(JSON.stringify(o));
const server = new Server(JSON.parse(process.argv[3]));
const heard = server.log.bind(server);
const tell = line => {
  if (line.keys) say({ event: 'keys', keys: line.keys });
  else if (line.cookie_secret) say({ event: 'secrets', cookie: line.cookie_secret, integrity: line.integrity_secret });
  else if (line.session) say({ event: 'session', ...line.session });
  else if (line.closed) say({ event: 'closed', ...line.closed });
};
server.lines.forEach(tell);
// Sessions write into the same log through the server's own method.
server.log = line => { heard(line); tell(line); };
// Who lends his keys lends them before he lets anybody in.
const reply = server.reply.bind(server);
const lending_ms = 300;
server.reply = (header, message, to) => {
  if (message.type === 'ConnectionAccepted') setTimeout(() => reply(header, message, to), lending_ms);
  else reply(header, message, to);
};
server.listen().then(() => say({ event: 'listening' }));
process.on('SIGTERM', async () => { await server.stop(); say({ event: 'counts', counts: server.counts }); process.exit(0); });
