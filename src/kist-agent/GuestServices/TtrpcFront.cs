using System.Text;
using Google.Protobuf;
using Kist.Agent.Service;
using Kist.Formats;
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
        return [resources, secrets];
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
}
