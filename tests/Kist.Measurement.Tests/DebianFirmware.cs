namespace Kist.Measurement.Tests;

/// <summary>
/// Firmware of Debian packages that are not in the release under test: in /usr/share/ovmf if they are installed, or in the
/// directory that KIST_TEST_FIRMWARE names.
/// </summary>
static class DebianFirmware
{
    public static byte[] Read(string name, string sha256)
    {
        string[] folders = ["/usr/share/ovmf", Environment.GetEnvironmentVariable("KIST_TEST_FIRMWARE") ?? "/usr/share/ovmf"];
        var path = folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{name} is neither in /usr/share/ovmf nor in KIST_TEST_FIRMWARE");
        var bytes = File.ReadAllBytes(path!);
        Assert.SkipUnless(HashValue.Sha256(bytes).ToString() == sha256, $"{path} is of another version of the package");
        return bytes;
    }
}
