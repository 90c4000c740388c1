using Kist.Enclaves.Sgx;

namespace Kist.Cli.Commands.Sgx;

/// <summary>Prints who signed what.</summary>
static class SigstructOutput
{
    public static void Print(Sigstruct sigstruct, bool json)
    {
        var output = new SgxOutput(json);
        Add(output, sigstruct);
        output.Print();
    }

    public static void Add(SgxOutput output, Sigstruct sigstruct) => output
        .Add("mrenclave", "mrenclave", sigstruct.EnclaveHash)
        .Add("mrsigner", "mrsigner", sigstruct.MrSigner())
        .Add("isv_prod_id", "isv prod id", sigstruct.IsvProdId)
        .Add("isv_svn", "isv svn", sigstruct.IsvSvn)
        .Add("isv_family_id", "isv family id", sigstruct.IsvFamilyId)
        .Add("isv_ext_prod_id", "isv ext prod id", sigstruct.IsvExtProdId)
        .Add("attributes", "attributes", sigstruct.Attributes.ToString())
        .Add("attribute_mask", "attribute mask", $"flags 0x{(ulong)sigstruct.AttributeMask.Flags:x}, xfrm 0x{sigstruct.AttributeMask.Xfrm:x}")
        .Add("misc_select", "misc select", sigstruct.MiscSelect)
        .Add("misc_mask", "misc mask", $"0x{sigstruct.MiscMask:x}")
        .Add("date", "date", $"{sigstruct.Date:x8}")
        .Add("vendor", "vendor", $"0x{sigstruct.Vendor:x}")
        .Add("debug", "debug", sigstruct.IsDebugType || sigstruct.Attributes.IsDebug);
}
