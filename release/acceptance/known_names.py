"""Which names the server's lists have: the license identifiers of SPDX, and the classifiers.

Of each name its CRC-32 is kept: lists that are installed here may have more names, or fewer.
Source: packaging 26.2, which has SPDX 3.27.0, and trove-classifiers 2026.6.1.19.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

#: classifier that the server refuses → those that replace it
DEPRECATED_CLASSIFIERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Framework :: Django CMS :: 4.2": ("Framework :: Django CMS :: 5.0",),
        "License :: OSI Approved :: Intel Open Source License": (),
        "License :: OSI Approved :: Jabber Open Source License": (),
        "License :: OSI Approved :: MITRE Collaborative Virtual Workspace License (CVW)": (),
        "License :: OSI Approved :: Sun Industry Standards Source License (SISSL)": (),
        "License :: OSI Approved :: X.Net License": (),
        "Natural Language :: Ukranian": ("Natural Language :: Ukrainian",),
        "Topic :: Communications :: Chat :: AOL Instant Messenger": (),
    }
)


def is_license(name: str) -> bool:
    """Whether SPDX has a license identifier, in lower case."""
    return _has(_LICENSES, name)


def is_license_exception(name: str) -> bool:
    """Whether SPDX has a license exception, in lower case."""
    return _has(_EXCEPTIONS, name)


def is_classifier(name: str) -> bool:
    """Whether the server knows a classifier that is not deprecated."""
    return _has(_CLASSIFIERS, name)


def newer_classifiers(names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that the installed list of classifiers has, and the server's has not."""
    unknown = frozenset(name for name in names if not is_classifier(name))
    if not unknown:
        return unknown
    from trove_classifiers import classifiers

    return unknown & classifiers


def newly_deprecated_classifiers(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Those of `names` that the server accepts and the installed list has deprecated, with their successors."""
    from trove_classifiers import deprecated_classifiers

    given = {name for name in names if name in deprecated_classifiers and is_classifier(name)}
    return {name: tuple(deprecated_classifiers[name]) for name in sorted(given)}


def _has(packed: str, name: str) -> bool:
    return zlib.crc32(name.encode(errors="replace")) in _checksums(packed)


@cache
def _checksums(packed: str) -> frozenset[int]:
    data = base64.b85decode("".join(packed.split()))
    return frozenset(struct.unpack(f">{len(data) // 4}I", data))


# sorted, four bytes each, in the alphabet of `base64.b85encode`
_LICENSES = """
00+F+03x=X05(qS0F|Q60nZh=0{rz410bak1HtV71K=A?1Svm%1cKlk1ydm51#6WX1;4QL24<VD2O^A52fI1j2j|!=2)HZ92*A7N2`+{j2{RvT3Ld6a3O5
m_3iE5i3i^|03tiRn3+}rZ42re{49K0X4U!Ed4aJm%4hR+p4mR%o4*w+z50fS45C0&i5E_xg5k*`-5p$(j5?8^T5^FDQ5^ecm61=*?6EzzF6Hd116Q5G;6
XViA6YpP&6<Ou379L?i7B+hf7J4zO7f0nl7vVqg7x9`~7y6F;7#POm7?ZTR83veR8ByMi8L(GB8XQ%W8y8^I8!SXt8(zSB8<}}s8{L4292Pa%9Av|G9F5z
K9KE^e9M1Ox9S~|f9gU!49ju`*9k8~@9o(Wn9pCMK9q!UH9uOZQ9w=F29#D&b9*9X=9+R{;9;A-F9;QCpABe85ADryBAL<`=AcU_kAuL$#A-YQ5A_G92B1
4HtB6SKkBDSzsBLgtYBWmWiBXmOTBcgq)Bs{o!B}`cfC2VEPC2ykPCA<xPCbn61CcqXAChtXuCr4P}C;<TbC{_mMD4lJVDBlFcDPBx?DR)WuDvL5mD)QTZ
D*fM2D^Ri^D}1HGE7=o`ES2BMEbMsvEs?>=E^nSOF7tM~FGF3tFM5V2FkovtFlf0lF#fT)F_>v$G9c%2GB%b3GDR_fGJAb4GTigAGa6RJGw*xMGy=gMG!o
l`G;)XXG=sR_HJ;R$HQILvHTU`hHecKWHfj)LHoQ5OHrfawH$S^#H%k16H*~LXI4l5?IE0A{IHKuwIMP(TIXRC2Ig8PYIkD*FIx}EII);nLI=x$NI>g6=J
NotYJOgu{JP!qEJQYXrJSJmFJS~nHJfar<Jni73Jn>GTJp<{lJ!mbYJ)c!JK1sVVK6!l<K7x>@K8)lQKJ59*KQ5E~KX8CkKa0@@KjQ$-K$XOQK)3R%L0CC
>L2V%NLP|caM3PtUMx?D0M*CeyM~&FCN0|;7N144WNFz@(NKeQ1NLUB+NiFJiNj+H|No{<ENx(EtNy2+NN#P{~N+*;KO5CxFOACQ#OAr9FOCeL=ODevPOK
VgtOLnf5OO+SLOQ)M%OrMWqO!Q4XO(R2rO>9}VP9smgPA6fRPPW){PRb*gPV65ZPc&2nPdgToPfq+5Pt{~APyJFeP!5adP{Hs~QExP0QN>zCQOTWAQe2I&
Q&<byQ}7ZnQ~HwVR7{6NRHrNBRV3Y%RVh|+RqgZFR&lI+R(}iWR@d7bR`{!XR}JsRS3Z1<SVV0qSXSRtSk8aLSu3M!SwFN^S<z?2S`R|lT6{|9TBq7yTJW
x>TLR_vTQTaYTR<KlTf}57TgtMcTkA+_Tp8r5Tv9$uT+m#hT^xLMUBR8WUEem+UFf$CUP%tNUxy>%V1EvDV9a7<VA)~_VD*tpVD>gDVHr`^VYaQBVaP&eV
v5{7Vx;i6V$ylmW14sFW7q*kWD|YoWHKw4WJ!j8WnV>aWxVW=W)C<gW<(N%W^lizW^|R#X1QGKX4}r5XB9UgXDuz~XF!`>XffJTXiXFQXkQ=kXznv=X*((
cX;-@zX^(l#X_wy;X`FMOX`aa<Y3(>CYGI}#YGr{sYIHmbYO9gCYX>DoYZjjzYdgZmYiawAYq}>+YstrzY^;9cY`^~DY|il1ZiX%TZk1@>ZlB!DZuvmCZ#
ycFZ%0>IZ>~Wna89viaL=i?ai+!Lao!NgaxI;Ya_JAjbBKL9bM<O+biBF{bjI9ibsD1Zbu+))b;X}`b~9DacP~vpcREM$cuC7zc!U~Dc?0+`d6WhJdCIdW
dC+pbdHb`Pdcvd<d?*$wd^ixue0p%we7DgleCwQCeY?C3ekULKemn2&e+!dde?k!yf8{3OfJ`5SfQU0mfRjVIfjAkzf*WKCf*s%bf@GV5gMO#xgV_Z6gaY
N}glLDMgm}O=grN;`gw*sRg@PH4g`~=*h9BX1hC%&ghJlQchK~>ohT~4mhZ*rnhc9Uthe0(2h<fzmh=hF)h}1sIh~yiSi2zCzi3RX&i3SJ4i5C4BiE6i$i
abiYiiKr`ildGvj2)-(j5$mfjA>^fjW#bLjf~A%jjIh7jxX7GjxX{Rj%JqXj*C&Qj*Wl;j<yewj@Et&j~6iekBMH)kI2XskRHULknE`mkwvygk|Va>lnu9
Jlt(MNl$$G0l;Fx8l{O$ZmJQm$mg$`GmvH_&m$KF6m@=GTm^i!Om^rYPnMh5bnU5ZbneY00nfMOKnn&`yntlbjn$zo$n*>PPn?Ag{n@u4ao4jw1oKtwCoL
1vqoL%~eoT3Z!ow66WoyV4Ao>VMZp3jKAp5(Qvp7VJNp9QifpBXdppL(PppNStzpdr}2ph7#@poj#Ept!kTpwbD&p-GO!p<f;Dq6<HiqCA?>qGg+xqLM($
qO{kxqVz9QqjveiqyF&bq<qBaq{dFYrLA;?rL@cDrZ6^@rbG^2re5;)rfm#~rpUhcr!F>vr;6k>r;Hz<sCD16sJ|MksY@6EsaG_%stU8TsuiF?szMG)tFZ
=-tWHxgtrjc5t<3?2t@?<at_!HluIdFWue>(Iue}%7ugXd=uwCY>v5WFtv885ZvYYA|vZ;+qvbvwbv#j!0v%zaWv(1jYv-Vq5v|K4@w53+3w9PDCwcwLdw
dE;Bwq-q-wu_PkwzP3#w}8BTx00wQx1gT1x3mSfx7;c(xL0GmxT%x5xv-*cy3WiQyFEI(yPXk1ySLdTyWt&Byc^exyiETAyis@syxmS&y#r6Vy#syjy)Am
{y<*O0z1LH(z1RgSz929PzE&ahzh_Otz>DR_z`ewh!2l9z!5vIf!Djwl!lj-`!*n(p#7<iN#Hc(x#TYfm#e{~0#o1k3#veP!#)M;x#}Z_c$COSB$Zq7?$a
Nd!$z$fq$-4p}%ik(Z%vxU0%v#+I%x{`N&4J=}&M71r&e|zD&)$lm&@Y1i&`UY((KiMI(SKk}(thPK($#kt();B}(+*wF(=U%_(?GDz(^1_*)5=a!)7E0e
)JV&{)O`b2)aU@E)bY26)cL@0)n9Y})s=8u)*L)1*7%fa*VB4H*kbnk**5hI*-Z&!*;R@)*<v5a+86Ek+L`Du+PqSz+Woi-+gqv}+#c2p+;Nh(+_kT!-1J
2S-8L^W-m?2#-rX@%-yz6b--!#E-~I08;M(v$;nCbh;tg<N;xCZ-;&%>l;+l+s<46Z3<OK;o<m3fA=0yEY=E&~3=If@Y=a1hY=dyNi=#;Q!=(cHk=||w)=
~Eof>BePJ>BzV%>JrSB>J;%d>X(QP>x+jh>y8F;>&u)T>@Kgd>}0)2>}+M#?9T#G?D1kG?OnAy?az(V?i9`^?l87#?s-nf?wiBm@LuYy@UZWv@Uzo%@c<J
S@fgwX@rJwy@uo~h@?`j=@@l#0^3&Bo^6-ry^7c{w^S!G!^UQ6~^l}b2^m&(X^n+e&^&D#s^<^y@_1UmJ_2kg!_CF~p_D$Au_D%-l_z(bX`5@GH`ACMz`I
{&3`U#47`Y|80`c}R)`f%qH`q=z@`&qS``*KZf`^WKy`~#D&{}Y)Q|4>+d|9S2l|9!-C|Dopa
"""
_EXCEPTIONS = """
1L5ee5PipH5dWj>649A;7!N@Z7#-D|A}TV#E$};OE+9whHGw$PH*9(XI009aJe^=-Lqf_~MmJ}vP-29wP=rN&S5tdUT8ix6TQy<GTtmc-Vq=qqV<CsgX5@
=CXj0_kYv=G<Y{7s#ZsA>!ZzOLtamKVga;8ZMdIudfg90FTgCUC1hl^bZid2Z%ilD7IkbhB-kdEo@mzdTnm<wJxpx}Kjqi5H6r656xrj>9-tT11WtVyxUw
J}{LwVBs^x<dZ&yBnCX!sWVg#EnV)#XC~w#ZM#3#j4~C#tgnw#|R5C$3vp;%46Q*%Yc9w&9kh^*PpU}*QVg3*XK>R*t>7p+2jwG-Y)*a;VJRP;;uvW=LH>
r>(tQH?uPtG@0>A_@Ohc&^ZZNP_fg;F{xV;-|KpuX
"""
_CLASSIFIERS = """
01UD@03lUC03n!(094*P09_Z(0F6S@0I)7#0V0SK0c=`00f68h0gA*`0pYbk0p@;<0voB90wmI{0zkfK0$gK60(vrK1KGo%1LnAz1f-~51lL-?1qbWN1&~
8n20g7*22V^123=|S25*;k2A0(&2C1$e2PC7q2PeL<2W!MA2t0^>2xP>B2@C)S2_~}O39PO!3AE}V3BAt}3S2i_3s7C?3^7dM3^-rj3|!K949^X~4DXoS4
IBu;4vB(i4wEKO4zM9`4(bi!4>ZW~4^d2K541D)582yY5T0?25ZmD$5a+C^5d9zH5eq(d5m8Mb5*rE95?5~u5^f<^6G5_t6cJ*g6r-r>6vRe76v>c#6xkA
66)pTT6-@9_6<;Nz7FO|B7GvM=7h~hc7kCBq7rF|37(SmN7)IjX7;vX>7=9Hy80P^C84J<$86|5x88rCB8AkWw8BY`#8I}}%8MkGc8Yo278Y%ZN8jH7b8k
27S8=DE-9Ix`I9Lt_<9SQVW9V7Z?9W5?c9c`GO9dpeB9mFiU9oKYB9!1H49%dEo9%(LB9)kzX9*rP09_dW+9{PsOA4DT+A9W!%ABx2iAI5o4AaSp+AlO_b
Amr%DAn8v%AsRLkA!b&HA<;N=A=ErYBBr%pBEPG(BiY&mBjJ3zBxmp-B;T#BB<#F-C6!L)C9nmWCAa0sCBpSrCTzkGCX3<aChom4Cr%bAC%qA#C;-oPC}v
LTDC}}aDKWdtDM)zFDZ-^eDa*k6Db3R{Dn@ZHDo$T9Du_4+D=!6VD});uE4E$2E7NLkECK^MEKhMoEO@>yEPJ8DERD0oEfXLdEl=6=EzP7|E&qK{E;>}&E
?(+?F3Sy_F4kQ%F7MF7F9V(yF9~O=FJyfbFcnG|Fi;AnFz=3AF}?58G7*qsGA>YXGX2r@GZ`3sGc)&oGgr&wGnKy1G$)(IG^U@pH6t5iHNA+|HbD75HdO;
MHk`7{HlUw5Hp)Y}H_y+bH|jQNI6H=9I8GtpIAL`TIBy`|IG#FIIPt~GISN&8IXAF{IlhkFIt1=9IxlzJIz1-iI(?9kI;ZvJJ544<JUGt1JUjYTJZFD|Jg
AByJg=OhJj(UnJkTpuJkY<RJnf22JyVRjJ*9OHJ+MKQJ^w!ZJ}aM+K3zYcK4Fn6KL-w7KMpK&KV3boK(TdkK)W?dK-;wPLC9JLLNVq`LRz24LbhG%Ln4hs
L+t$!M3aWAM6L#ZMGD}SMQ>uuMUAAkMVreUMdjgDMiZDJMk4wNMl&tZM*erpNAn9+NF6hzNO%y;NRq19NdOfyN!j_jN@8}4N^TmyN^eo+O9$xsOBRa)OO7
quOSC5XOZB{qOc(;OOlfyIOotO2OrUM3OxdlVO#|MiO;#xEO|HUcP6$3pPMd85POpofPO|alPc(FwPehznPh>e%P#(j1P&YqsP)A(-P|N9SP}QP=P}&*1Q
JS=<QR$7RQT0_=QbX_iQbu=gQnO}4Q?=sWQ@T{`Q^WU2RD4?JRIf@aRWNuvRlh2;Rx_(MRzdPyR%tqdR)Y%LR-*dlR{NL?R|SpYS4qTgSKR^USONoASOl(
sSRm&)SZlM(SnXMKSy|fYS#+wQT9NB+T9Rs4T9RxkTG4Y~TKG-JTLDw(TL!w?TQYi3Tpsv`T(!gGT^VlwT|>mKU3sbiU3#CwU7_i2UL>e&UZrBaUr-GCUs
9tiUtg2IUyrThU%L(KU)MN`U+6e6U@At5U@p@9U~2>3VKnegVNX(}VT*(BVj>|?VlN04Vo8QXV%OQZV)T}&V)bx?V<S1`V>47=V_8YtV_;$AV~F7?WP;!I
Wb>T;WcSlRWmvz5Wv;><WyBbKWze{vW>$T+W?L&QW`x!<XIVclXPH47XQEMeXkVr(XpQxRXx8miX-JuUX<;RMX@oahX^Ie{X`0DrX|O_LX}*xlY1U+jY4N
RjY7WHAYS2X5Ya|>xYiU2rYi$%|Ym9-JYs{|uYup9kY=o+`Y@9htY{dpAZ2i!+Z3k=+Z7#>BZ9^RAZVcgKZX#Q%Zb_EmZiBdfZnl{zZrsfqZz)J}Z#0dNZ
#gt#Z$Z*YZ^C37Z{RVVaH?>_aO)jvaS9T3aXAaGaavh#acHODacWs6afe!jagpV-asb<3a`v1Sb70Nqb9|U3bBhewbFSA!bP)(SbWA@$blEGNbl&qebsU)
ibwWF0bw`f=b#(QWb<Y0lb_HYkb|tulcI++GcLFpKcL@;ncMYqGcUmV{cer17cgI&Mcnb55cowSRcvgJzcwI>lc(re4d6X8$dJA^?dK)wbda!=Gdimcfd#
$4@d=7%od=g`Id>>JJd{HH#e1>f2eJK&peJ*QIeaxabeheyxei6t@eu`d~e>=G7f2{n3f9Sd+fFL&GfFv2lfGj$OfPSdbfUt`CfiXEwflsq#fpXx@fq&Ox
fuKOdf$mVTf|6KfgCK6TgM)d?gVYOfgaD=Bgb#uIgiT_Sgio=BgyVd6g@iy8g{YUqg~HF*h65j2hJ%!-hNIPuhVT5thZa92hco}_he7_Ihi^nzhk?3@hl*
Brhmfj1hs@srh+^Y{h_NFDiCBU~iI*TYiK%R-iK|IriY&20iZ~#nikW5#iv&xgizF0Hi$A;ci&@1yi=pk3j0XWhj6$1zj7-Dvj92nBjPmxUjX;83jbh>Nj
kY7mjljXdjqS{$jryHkjvT=*j=$Ahj_~fSkM_`{kgiKekjMEzku}-GkyjeGk{_5Ul1*pBl39AllCol|lH^TGlK-RmlV%(8lWIiila0O?lbhc5li&qLl&-B
al(q<#l{h~;m9*UEmG61AmQcrPmRKF#mddFhmpke7ms4=Wm$`7tm;31!m<s~cm?Y-lm@C<-m^u7fm^~0Hn6PZWnN&t}nQJ{xnsm@Inu8Phn$VIOn(yf#n)
tj^n*sXln-cgfn=OMEn@R7|n|qs8n~P9_ohJg7ok{c7osA1cozur#o??}fp7+{@pE5}>pGF<9pJv9)pKt06pO@+8pP>JxpYf@1paIsKpj8U5pr#*zpw*Z3
px#6mpz9Ixp@qKVq8arPq8c0PqB!J2qPR8*qSDYvqS!tiqTqLgqg{1-qh0^Oqlbcfq%zaFq+olJq?<+hr9>fwrJP8prS}tvrez-ork~QIrmpPYrzqK;r!;
Xbr+&{dr;{n<r=B@@r@GnEr_)20s01*asNh8is!*$Ks%Aehs^KW2t8CIKtUaFEtv65Et#r=Kt$CjWt%5Txt?1l9uNl4IuP9`5uT}Ehum*(0unzU=u;>gVv
DPzPvl3cjvrfwrvyT1^v!cz2v`tF$w1to~wNjqNwN-xqwYqKZwbECLwu25Bw~-cNx3URgxNHd7xQ*yfxQ~ZAxVvcmxr26Sy7876yScp1yV%tcyaCg_yb85
oydGRIyi(7Byle-dytYo4yzOG1y@Ntqy@lrey|blVz1Jeaz264tz3*d&zcd>Lz&BUgz)*`*z)}n_z|M$pz};juz}`U@!F6zm!IaTx!I!D(!Q|a{!b9&v!z
-79!*&wq!>x_Y!@MRW#8Qqt#8RRp#A&O2#FdpY#H~al#Z9L&#shAU#x)!I#z0;~#&WAE#&r1U#@P{##~a<&$6YB4$FwTM$YA~|$lQPu$lRw)$n9-&$ryuO
$zsX?$>vxo$^x#!%040S%1)7$%Gh~?%Wd%A%iXN2%rnRJ%t!nV%yf8P%)?q!%?BG(&1P+h&2^e8&B+y6&U{&n&VwbM&i%F)&tD9;&<pm)&>&hn&}(R#(0@
Ll(9G){(B;<X(N0pV(`QQr)6Hvg)C!Ls)HW}g)Ikuc)s>Ya)}GZ#*7-Ux*CY;<*M52@*rmfY*z=G<**c~j*=L>`*?IKk*^0LN*|lvJ*|!a1+9A42+hM;H+
mJ&s+q8>e+$XL4+{pT~-8fe#-H>Pa-I7cr-IR^0-y&84-)}%9-`OaJ-|ZPQ;1%5?;5N-d;GIW&;GcwC;J!dy;Y1|;;a@FF;e{uc;k6Is;*n+?;>{Uf;{qo
@<5^LM<8{Nh<CvWq<f5PG<twfx<&xTH<@l3t<}&G0<~%s_=GKye=hnj;=iwKa=sfIJ=s_(e=u-&Q=wbF+=y-C+=%>#!=()xS=*5Qx>1Cw^>A#?W>Dr)6>H
36y>J`?+>QTD`>UI2q>kwcz>lQeE>rS_Y>$Ql2>=nqn>?4GF>?*T?>`vcA?0n`w?4N+>?AYn(?CFc7?SS=^?ZpOC?bo7=?daLI?o)Q+?raU%?$8(k?+h|S
?=0y*?=V5(?>@}T@4G^)@7yxh@D?tm@Mv_w@NI`M@R3hq@W0So@bGTK@oBXv@r0y4@t$Dw@wuoL@=*Mx@?6o4@`#;t@{oLd^1Ru^^2Pr_^3!fm^6;yq^8b
w+^QbOG^XEeZ^e2`b^kF<x^(2B=^_6Jw_0uz;_I1!(_Ob3{_UT|J_XV)n_Zk(b_bUnz_i57M_l~|S_qV!i_<;DX_=xRc_?H_T_^B$2`0?N}`4tGq`A`4x`
pu?e`!PQo`$zBB`*cmQ`^8ee{39gW{A%tk{EAwC{ER?A{JKg({NZ)r{UAJ){aH4S{dkaM{g}D${$sm}{*!|P{*_e){{X?!|9Tfc|H9Hs|Ig<)
"""
