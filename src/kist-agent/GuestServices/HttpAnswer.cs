using System.Net;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.Pods.Protocol;

namespace Kist.Agent.GuestServices;

/// <summary>An answer to a container: status, type, and a body that is wiped once it is sent.</summary>
sealed record HttpAnswer(int Status, string ContentType, byte[] Body)
{
    public static HttpAnswer Bytes(byte[] body) => new(200, "application/octet-stream", body);

    public static HttpAnswer Json(ReadOnlyMemory<byte> body) => new(200, "application/json", body.ToArray());

    public static HttpAnswer Error(int status, string reason) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(reason + "\n"));

    /// <summary>What a failure is to the container: it is the owner's own, so it may know the reason.</summary>
    public static HttpAnswer Of(Exception e) => e switch
    {
        AgentException { Code: FailureCode.PolicyDenied or FailureCode.KeyRefused } => Error(403, e.Message),
        KeyBrokerException { Status: 404 } => Error(404, e.Message),
        KeyBrokerException { Status: 401 or 403 } => Error(403, e.Message),
        MalformedDataException or ArgumentException => Error(400, e.Message),
        OperationFailedException => Error(500, e.Message),
        OperationCanceledException => Error(504, "it took too long"),
        _ => Error(500, "the agent has failed"),
    };

    public async Task SendAsync(HttpListenerResponse response, CancellationToken cancellationToken)
    {
        try
        {
            response.StatusCode = Status;
            response.ContentType = ContentType;
            response.ContentLength64 = Body.Length;
            response.Headers["Cache-Control"] = "no-store";
            await response.OutputStream.WriteAsync(Body, cancellationToken);
            response.Close();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(Body);
        }
    }
}
