using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Agent.Service;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Pods.Protocol.GuestComponents;
using Kist.Ttrpc;

namespace Kist.Agent.GuestServices;

/// <summary>The services by ttrpc, under the names of Confidential Containers, for one container.</summary>
sealed class TtrpcFront(ServiceDesk desk, Caller caller)
{
    /// <summary>attestation_agent.proto.</summary>
    public IReadOnlyCollection<TtrpcService> AttestationAgent()
    {
        var service = new TtrpcService("attestation_agent.AttestationAgentService");
        Add(service, "GetEvidence", GetEvidenceRequest.Parser, async (request, token) => new GetEvidenceResponse
        {
            Evidence = ByteString.CopyFrom((await desk.GetEvidenceAsync(caller, request.RuntimeData.Memory, token)).Span),
        });
        Add(service, "GetToken", GetTokenRequest.Parser, async (request, token) => new GetTokenResponse
        {
            Token = UnsafeByteOperations.UnsafeWrap(await desk.GetTokenAsync(caller, request.TokenType, token)),
        });
        Add(service, "ExtendRuntimeMeasurement", ExtendRuntimeMeasurementRequest.Parser, async (request, token) => new ExtendRuntimeMeasurementResponse
        {
            Result = await desk.ExtendAsync(caller, request.Domain, request.Operation, request.Content, token)
                ? RuntimeMeasurementResult.Ok
                : RuntimeMeasurementResult.NotSupported,
        });
        Add(service, "GetTeeType", GetTeeTypeRequest.Parser, (_, _) => Task.FromResult(new GetTeeTypeResponse { Tee = desk.Tee }));
        return [service];
    }

    /// <summary>confidential_data_hub.proto.</summary>
    public IReadOnlyCollection<TtrpcService> DataHub()
    {
        var resources = new TtrpcService("api.GetResourceService");
        Add(resources, "GetResource", GetResourceRequest.Parser, async (request, token) =>
        {
            using var secret = await desk.GetResourceAsync(caller, request.ResourcePath, token);
            return new GetResourceResponse { Resource = ByteString.CopyFrom(secret.Span) };
        });
        var secrets = new TtrpcService("api.SealedSecretService");
        Add(secrets, "UnsealSecret", UnsealSecretInput.Parser, async (request, token) =>
        {
            using var secret = await desk.UnsealAsync(caller, Encoding.UTF8.GetString(request.Secret.Span), token);
            return new UnsealSecretOutput { Plaintext = ByteString.CopyFrom(secret.Span) };
        });
        // Request and answer are messages of one field of bytes with number 1, which is what BytesValue is on the wire.
        var provider = new TtrpcService("keyprovider.KeyProviderService");
        Add(provider, "UnWrapKey", BytesValue.Parser, async (request, token) => new BytesValue
        {
            Value = UnsafeByteOperations.UnsafeWrap(await new KeyProviderService(new CallersKeys(desk, caller), null).HandleAsync(request.Value.Memory, token)),
        });
        return [resources, secrets, provider];
    }

    private static void Add<TRequest, TResponse>(
        TtrpcService service, string method, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        service.Add(method, parser, async (request, cancellationToken) =>
        {
            try
            {
                return await handler(request, cancellationToken);
            }
            catch (Exception e) when (FailureMapping.IsExpected(e) && e is not TtrpcException)
            {
                throw FailureMapping.ToStatus(e);
            }
        });

    /// <summary>The broker's keys, as far as the policy lets this container have keys unwrapped by them.</summary>
    private sealed class CallersKeys(ServiceDesk desk, Caller caller) : ILayerKeyProvider
    {
        public Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken) => desk.GetWrappingKeyAsync(caller, keyId, cancellationToken);
    }
}
