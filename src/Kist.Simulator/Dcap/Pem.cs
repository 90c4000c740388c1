using System.Security.Cryptography.X509Certificates;

namespace Kist.Simulator.Dcap;

/// <summary>PEM text.</summary>
static class Pem
{
    /// <summary>Certificates one after the other, each with its final line end.</summary>
    public static string Of(params ReadOnlySpan<X509Certificate2> certificates)
    {
        var text = "";
        foreach (var certificate in certificates)
            text += certificate.ExportCertificatePem() + "\n";
        return text;
    }
}
