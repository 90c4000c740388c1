using System.CommandLine;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;

namespace Kist.Cli.Commands.Sgx;

/// <summary>"kist sgx inspect": the fields of an enclave, a SIGSTRUCT or a REPORT. Nothing is verified.</summary>
static class InspectCommand
{
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "ELF or SGXS enclave, SIGSTRUCT (1808 bytes) or REPORT (432 bytes)." };
    private static readonly Option<bool> s_pages = new("--pages") { Description = "List the pages of an enclave instead." };
    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("inspect", "Show the fields of an enclave, a SIGSTRUCT or a REPORT, without judging them.")
        {
            s_file, s_pages, s_json,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        var bytes = SgxFiles.Read(parse.GetValue(s_file)!, ElfEnclave.MaxLength);
        if (parse.GetValue(s_pages))
            PrintPages(ElfEnclave.Recognises(bytes) ? ElfEnclave.Parse(bytes).Image : Sgxs.Read(bytes));
        else
            Describe(bytes, new SgxOutput(parse.GetValue(s_json))).Print();
        return ExitCode.Success;
    }

    private static SgxOutput Describe(byte[] bytes, SgxOutput output)
    {
        if (bytes.Length == Sigstruct.SizeInBytes)
        {
            SigstructOutput.Add(output, Sigstruct.Parse(bytes));
            return output;
        }

        return bytes.Length == Report.SizeInBytes ? DescribeReport(Report.Parse(bytes), output) : DescribeEnclave(bytes, output);
    }

    private static SgxOutput DescribeReport(Report report, SgxOutput output) => output
        .Add("mrenclave", "mrenclave", report.Body.MrEnclave)
        .Add("mrsigner", "mrsigner", report.Body.MrSigner)
        .Add("isv_prod_id", "isv prod id", report.Body.IsvProdId)
        .Add("isv_svn", "isv svn", report.Body.IsvSvn)
        .Add("attributes", "attributes", report.Body.Attributes.ToString())
        .Add("misc_select", "misc select", report.Body.MiscSelect)
        .Add("cpu_svn", "cpu svn", report.Body.CpuSvn)
        .Add("config_id", "config id", report.Body.ConfigId)
        .Add("config_svn", "config svn", report.Body.ConfigSvn)
        .Add("isv_family_id", "isv family id", report.Body.IsvFamilyId)
        .Add("isv_ext_prod_id", "isv ext prod id", report.Body.IsvExtProdId)
        .Add("report_data", "report data", report.Body.ReportData)
        .Add("key_id", "key id", report.KeyId)
        .Add("mac", "mac", report.Mac);

    private static SgxOutput DescribeEnclave(byte[] bytes, SgxOutput output)
    {
        var enclave = EnclaveFile.Parse(bytes);
        output.Add("format", "format", enclave.Kind == EnclaveFileKind.Elf ? "elf" : "sgxs")
            .Add("measured_mrenclave", "measured", enclave.MrEnclave)
            .Add("wanted_attributes", "wants attributes", enclave.Attributes?.ToString());
        if (enclave.Sigstruct is { } sigstruct)
            SigstructOutput.Add(output, sigstruct);
        return output;
    }

    private static void PrintPages(EnclaveImage image)
    {
        Console.Out.WriteLine($"size 0x{image.EnclaveSize:x}, ssa frame {image.SsaFrameSize} pages");
        foreach (var page in image.Pages)
            Console.Out.WriteLine($"0x{page.Offset:x8} {SecInfo.Describe(page.SecInfoFlags)} {(page.IsMeasured ? "measured" : "not measured")}");
    }
}
