using System.Security.Cryptography;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Simulation;

namespace Kist.Enclaves.Tests.Attestation;

public sealed class LocalAttestationTests : IDisposable
{
    private readonly SimulatedProcessor _processor = new(SHA256.HashData("root"u8));
    private readonly SimulatedEnclave _first = EnclaveOf("first");
    private readonly SimulatedEnclave _second = EnclaveOf("second");

    public void Dispose() => _processor.Dispose();

    [Fact]
    public void IsGenuine_ReportForThisEnclave_OnlyForItsOwnData()
    {
        var bound = LocalAttestation.Bind("label", "a"u8.ToArray());
        var report = _processor.Report(_first, LocalAttestation.TargetOf(_second.Secs), bound);
        Assert.True(LocalAttestation.IsGenuine(report, bound, KeyOf(_second)));
        Assert.False(LocalAttestation.IsGenuine(report, LocalAttestation.Bind("label", "b"u8.ToArray()), KeyOf(_second)));
        Assert.False(LocalAttestation.IsGenuine(report, bound, KeyOf(_first)));
        using var other = new SimulatedProcessor(SHA256.HashData("another processor"u8));
        Assert.False(LocalAttestation.IsGenuine(report, bound, request => other.Key(_second, request)));
    }

    [Fact]
    public void IsGenuine_AnyChangedByte_IsFalse()
    {
        var bound = LocalAttestation.Bind("label");
        var bytes = _processor.Report(_first, LocalAttestation.TargetOf(_second.Secs), bound).Bytes.ToArray();
        // Every field that may have any value: MRENCLAVE, MRSIGNER, ISVSVN, REPORTDATA, KEYID, MAC.
        foreach (var offset in new[] { 64, 95, 128, 258, 320, 383, 384, 416, 431 })
        {
            var changed = (byte[])bytes.Clone();
            changed[offset] ^= 1;
            Assert.False(LocalAttestation.IsGenuine(Report.Parse(changed), bound, KeyOf(_second)));
        }
    }

    /// <summary>Values that run into each other would let one be passed off as another.</summary>
    [Fact]
    public void Bind_ValuesDividedOtherwise_Differs()
    {
        var values = new[]
        {
            LocalAttestation.Bind("label", [1, 2], [3]), LocalAttestation.Bind("label", [1], [2, 3]), LocalAttestation.Bind("label", [1, 2, 3]),
            LocalAttestation.Bind("labe", [(byte)'l', 1, 2], [3]), LocalAttestation.Bind("label", [1, 2], [3], []),
        };
        Assert.Equal(values.Length, values.Select(Convert.ToHexString).Distinct().Count());
        Assert.All(values, v => Assert.Equal(ReportBody.ReportDataSize, v.Length));
    }

    private static SimulatedEnclave EnclaveOf(string content)
    {
        using var quoter = new SimulatedQuoter(content);
        return quoter.Enclave;
    }

    private Func<KeyRequest, byte[]> KeyOf(SimulatedEnclave enclave) => request => _processor.Key(enclave, request);
}
