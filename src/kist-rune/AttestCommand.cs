using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kist.Enclaves.Host;
using Kist.Formats;

namespace Kist.Rune;

/// <summary>
/// "attest [--isRA] [--quote-type ecdsa] [--nonce HEX] [--reportFile PATH] ID": with --isRA evidence that anybody can
/// verify, otherwise the local REPORT. Both bind the nonce and the enclave's TLS key.
/// </summary>
static class AttestCommand
{
    private const int NonceSize = 32;

    public static int Run(CommandLine line)
    {
        var container = ContainerCommands.Container(line, line.Id);
        if (!container.Exists)
            throw new OperationFailedException("attest", line.Id, "it is no enclave container", "start it with the annotation enclave.type=intelSgx");
        if (line.Value("--quote-type") is { } type and not "ecdsa")
            throw new OperationFailedException("attest", type, type.StartsWith("epid", StringComparison.Ordinal) ? "Intel has shut the EPID attestation service down" : "no such quotes", "use ecdsa");
        var nonce = line.Value("--nonce") is { } hex ? Hexadecimal(hex) : RandomNumberGenerator.GetBytes(NonceSize);
        var remote = line.Has("--isRA");
        using var agent = AgentClient.Connect(container);
        agent.Send(new AgentRequest { Op = remote ? "quote" : "report", Nonce = Convert.ToBase64String(nonce) });
        var evidence = agent.Receive().Evidence ?? throw new OperationFailedException("attest", line.Id, "the enclave sent no evidence");
        if (line.Value("--reportFile") is { } file)
            File.WriteAllBytes(file, Convert.FromBase64String(evidence));
        Console.Out.WriteLine(new JsonObject
        {
            [remote ? "evidence" : "report"] = evidence,
            ["nonce"] = Convert.ToHexStringLower(nonce),
            ["platform"] = "simulated",
        }.ToJsonString());
        return 0;
    }

    private static byte[] Hexadecimal(string text) =>
        text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : throw new MalformedDataException("--nonce", -1, "not hexadecimal");
}
