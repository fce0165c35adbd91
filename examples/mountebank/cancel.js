// The answer to every request, as a mountebank injection: three cancel endpoints, and a provider-state handler in
// Pact's wire form. `config.state` is what mountebank keeps between requests; mountebank answers one at a time.
function cancel (config) {
    const crypto = require('crypto'),
        KEY = 'the key of this example, of some length',
        PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad',
        TENANTS = ['5f0f2b0a-3c5e-4f39-9f6c-7c1c2f8f5a11', PERSONAL_TENANT],
        ISSUER = 'https://sts.windows.net/',
        graph = ['https://graph.microsoft.com', 'https://graph.microsoft.com/', '00000003-0000-0000-c000-000000000000'],
        machine = ['CollectForensic', 'Isolate', 'RestrictExecution', 'Scan', 'Offboard', 'StopAndQuarantine', 'LiveResponse']
            .map(name => 'Machine.' + name);

    const contracts = {
        'security-action': {
            resources: '/security/securityActions/', action: 'cancelSecurityAction', audiences: graph,
            delegated: ['SecurityActions.ReadWrite.All'], application: ['SecurityActions.ReadWrite.All'],
            open: ['NotStarted', 'Running'], shows: 'status', after: 'cancelled',
            entity: { name: 'blockIp', actionReason: 'Test' }
        },
        'machine-action': {
            resources: '/api/machineactions/', action: 'cancel',
            audiences: ['https://api.securitycenter.microsoft.com', 'https://securitycenter.onmicrosoft.com/windowsatpservice',
                'https://api.security.microsoft.com'],
            delegated: machine, application: machine,
            open: ['Pending', 'InProgress'], shows: 'status', after: 'Cancelled', comment: true,
            entity: { type: 'Isolate', requestorComment: 'Isolated for investigation', creationDateTimeUtc: '2024-01-01T00:00:00Z' }
        },
        'access-package-assignment-request': {
            resources: '/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/', action: 'cancel',
            audiences: graph, delegated: ['EntitlementManagement.ReadWrite.All'], application: [],
            open: ['accepted', 'pendingApproval', 'pendingNotBefore', 'pendingApprovalEscalated'],
            shows: 'requestStatus', after: 'canceled', owners: true,
            entity: { requestType: 'UserAdd', justification: 'Needed for the project' }
        }
    };

    const request = config.request,
        store = config.state,
        header = name => request.headers[Object.keys(request.headers).find(key => key.toLowerCase() === name)] || '';

    function json (statusCode, value, headers) {
        return {
            statusCode,
            headers: Object.assign({ 'Content-Type': 'application/json' }, ids(), headers),
            body: JSON.stringify(value)
        };
    }

    function ids () {
        const sent = header('client-request-id');
        const close = /close/i.test(header('connection'));
        return Object.assign({ Connection: close ? 'close' : 'keep-alive', 'request-id': crypto.randomUUID() }, sent ? { 'client-request-id': sent } : {});
    }

    function refusal (statusCode, code, message, headers) {
        return json(statusCode, { error: { code, message, target: crypto.randomUUID() } }, headers);
    }

    function parsed (text) {
        try { return JSON.parse(text); }
        catch (error) { return undefined; }
    }

    // The claims of a token that is signed with the key, of our tenant's issuer or that of personal accounts, for one of
    // the audiences, and within its time.
    function claims (audiences) {
        const bearer = /^bearer +([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(header('authorization'));
        if (!bearer) { return undefined; }
        const now = Date.now() / 1000,
            signature = crypto.createHmac('sha256', KEY).update(bearer[1] + '.' + bearer[2]).digest('base64url'),
            found = parsed(Buffer.from(bearer[2], 'base64url').toString());
        return signature === bearer[3] && found && TENANTS.includes(found.tid) && found.iss === ISSUER + found.tid + '/' &&
            audiences.includes(found.aud) && found.exp > now && !(found.nbf > now)
            ? found : undefined;
    }

    function permitted (contract, caller) {
        return caller.tid !== PERSONAL_TENANT &&
            ((caller.scp || '').split(' ').some(name => contract.delegated.includes(name)) ||
                (caller.roles || []).some(name => contract.application.includes(name)));
    }

    // What is wrong with the body, in words; undefined where nothing is. mountebank hands over text: what was not
    // UTF-8 shows as U+FFFD.
    function wrong (contract, id, body, own) {
        const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
        if (!(contract.comment || contract.owners) || (contract.owners && !own && request.body === '')) { return undefined; }
        if (!isObject || request.body.includes('\uFFFD')) { return 'The body must be a JSON object.'; }
        if (contract.comment && typeof body.Comment !== 'string') { return 'The Comment must be a string.'; }
        if (own && !/^[Cc]ancell?ed$/.test(body.requestStatus)) { return 'The requestStatus must be cancelled.'; }
        if (own && typeof body.requestStatus !== 'string') { return 'The requestStatus must be a string.'; }
        if (contract.owners && (own || 'id' in body) && body.id !== id) { return 'The id must be that of the path.'; }
        return undefined;
    }

    function shown (contract, id) {
        const { state, more } = store[id];
        return Object.assign({ id }, contract.entity, { [contract.shows]: state }, more);
    }

    function cancelled (name, contract, id, caller) {
        const own = contract.owners && !caller.wids,
            body = parsed(request.body),
            problem = wrong(contract, id, body, own);
        if (!store[id] || store[id].name !== name) {
            return refusal(404, 'ResourceNotFound', 'No such resource.');
        }
        if (own && store[id].owner !== caller.sub) {
            return refusal(403, 'Forbidden', 'It belongs to somebody else.');
        }
        if (contract.comment || (contract.owners && request.body !== '')) {
            if (!/^application\/json *(;|$)/i.test(header('content-type'))) {
                return refusal(415, 'UnsupportedMediaType', 'Content-Type must be application/json.');
            }
        }
        if (problem) { return refusal(400, 'InvalidRequestBody', problem); }
        if (!contract.open.includes(store[id].state)) {
            return refusal(409, 'Conflict', 'It is in a state that cannot be cancelled.');
        }
        store[id].state = contract.after;
        if (!contract.comment) { return { statusCode: 200, headers: ids(), body: '' }; }
        store[id].more = {
            cancellationComment: body.Comment,
            cancellationRequestor: caller.sub,
            cancellationDateTimeUtc: new Date().toISOString()
        };
        return json(200, shown(contract, id));
    }

    function providerState () {
        const { action, params } = parsed(request.body) || {};
        if (!params || !contracts[params.contract]) { return json(400, { error: 'not of the form {action, params}' }); }
        if (action === 'teardown') {
            delete store[params.id];
            return json(200, {});
        }
        const id = crypto.randomUUID();
        store[id] = { name: params.contract, state: params.state, owner: params.owner, more: {} };
        return json(200, { id });
    }

    function answer (name) {
        const contract = contracts[name],
            [id, ...rest] = request.path.slice(contract.resources.length).split('/'),
            action = rest.join('/');
        if (header('authorization') === 'Bearer throttled-token') {
            return refusal(429, 'TooManyRequests', 'Try again later.', { 'Retry-After': '30' });
        }
        const caller = claims(contract.audiences);
        if (!caller) {
            return refusal(401, 'Unauthorized', 'A valid access token is required.', { 'WWW-Authenticate': 'Bearer' });
        }
        if (!permitted(contract, caller)) {
            return refusal(403, 'Forbidden', 'The token lacks the permission.');
        }
        if (action === '' && request.method === 'GET' && store[id] && store[id].name === name) {
            return json(200, shown(contract, id));
        }
        if (action !== contract.action) { return refusal(404, 'ResourceNotFound', 'No such resource.'); }
        if (request.method !== 'POST') { return refusal(405, 'MethodNotAllowed', 'Use POST.', { Allow: 'POST' }); }
        return cancelled(name, contract, id, caller);
    }

    if (request.path === '/_pact/provider-states') { return providerState(); }
    const name = Object.keys(contracts).find(key => request.path.startsWith(contracts[key].resources));
    return name ? answer(name) : refusal(404, 'ResourceNotFound', 'No such route.');
}
