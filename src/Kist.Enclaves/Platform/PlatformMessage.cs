using System.Text;
using Kist.Formats;

namespace Kist.Enclaves.Platform;

/// <summary>
/// The protocol between enclave processes and the simulated platform: one packet a request, one a reply.
/// <code>
/// request   0 1 operation   1 … operand
/// reply     0 1 status (0 done, 1 refused)   1 … result, or the reason in UTF-8
/// HELLO     operand empty                                result empty: the platform is there
/// LAUNCH    operand 16 ATTRIBUTES; files: host program, manifest, SIGSTRUCT    result empty; file: sealed host program
/// ENTER     operand empty; sent by the sealed program that replaced the launcher   result 4096 SECS; file: sealed manifest
/// EREPORT   operand 512 TARGETINFO, 64 REPORTDATA    result 432 REPORT
/// EGETKEY   operand 512 KEYREQUEST                   result 16 key
/// </code>
/// </summary>
static class PlatformMessage
{
    /// <summary>Largest packet in either direction.</summary>
    public const int MaxSize = 8192;

    private const int MaxReasonLength = 1024;

    public static byte[] Request(PlatformOperation operation, params ReadOnlySpan<byte> operand) => [(byte)operation, .. operand];

    public static byte[] Done(ReadOnlySpan<byte> result) => [0, .. result];

    public static byte[] Refused(string reason) =>
        [1, .. Encoding.UTF8.GetBytes(reason.Length > MaxReasonLength ? reason[..MaxReasonLength] : reason)];

    /// <summary>The result of a reply.</summary>
    /// <exception cref="OperationFailedException">The platform refused.</exception>
    public static byte[] Result(ReadOnlySpan<byte> reply, string step, string subject)
    {
        if (reply is [0, ..])
            return reply[1..].ToArray();
        var reason = reply is [1, ..] ? Encoding.UTF8.GetString(reply[1..]) : "the platform's reply is malformed";
        throw new OperationFailedException(step, subject, reason);
    }
}

/// <summary>What a packet asks for.</summary>
enum PlatformOperation : byte
{
    Hello = 0,
    Launch = 1,
    Enter = 2,
    Report = 3,
    Key = 4,
}
