using CsCheck;
using Kist.Formats;
using Kist.Measurement.Uefi;

namespace Kist.Measurement.Tests.Uefi;

public sealed class VariableStoreTests
{
    private const string Enrolled = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
    private const string Empty = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    [Fact]
    public void Parse_DebiansEnrolledVariables_FindsTheKeys()
    {
        Assert.SkipUnless(File.Exists(Enrolled), $"the package ovmf is not installed: {Enrolled}");
        var stored = VariableStore.Parse(File.ReadAllBytes(Enrolled))!.Value;
        foreach (var name in new[] { "PK", "KEK", "db", "dbx" })
            Assert.Contains(stored, v => v.Name == name && v.Data.Length > 0);
        var secureBoot = SecureBootVariables.Of(stored, supportsSecureBoot: true);
        Assert.Equal([1], secureBoot.SecureBoot.ToArray());
        Assert.True(secureBoot.Allowed.Span.IndexOf("Microsoft"u8) > 0);
    }

    [Fact]
    public void Parse_DebiansEmptyVariables_FindsNoKeys()
    {
        Assert.SkipUnless(File.Exists(Empty), $"the package ovmf is not installed: {Empty}");
        var stored = VariableStore.Parse(File.ReadAllBytes(Empty))!.Value;
        Assert.DoesNotContain(stored, v => v.Name == "PK");
        Assert.Equal([0], SecureBootVariables.Of(stored, supportsSecureBoot: true).SecureBoot.ToArray());
        Assert.True(SecureBootVariables.Of(stored, supportsSecureBoot: false).SecureBoot.IsEmpty);
    }

    [Fact]
    public void Parse_OtherBytes_AreNoStore()
    {
        Assert.Null(VariableStore.Parse(new byte[100]));
        Assert.Null(VariableStore.Parse(Array.Empty<byte>()));
    }

    [Fact]
    public void Parse_DamagedStore_IsReadOrRefusedPrecisely()
    {
        Assert.SkipUnless(File.Exists(Enrolled), $"the package ovmf is not installed: {Enrolled}");
        var good = File.ReadAllBytes(Enrolled).AsSpan(0, 0x8000).ToArray();
        Gen.Select(Gen.Int[0, 0x400], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            try
            {
                VariableStore.Parse(bytes);
            }
            catch (MalformedDataException)
            {
                return;
            }
        }, iter: 5000);
    }
}
