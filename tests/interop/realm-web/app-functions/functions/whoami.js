exports = function () {
    return {
        id: context.user.id, type: context.user.type, identity: context.user.identities[0].provider_type, name: context.user.data.name,
        system: context.runningAsSystem(), limit: context.values.get("limits").most, agent: context.request.httpUserAgent,
        greeting: context.user.custom_data.greeting,
    };
};
